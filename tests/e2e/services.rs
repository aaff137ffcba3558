//! Objects without a client: started with the server, reached by events, made anew after a failure.

use crate::harness::fleet::listened_to;
use crate::harness::host::TestHost;
use crate::harness::redis::RedisServer;
use crate::harness::wait::within;
use crate::harness::ws::WsClient;

/// A client of the keeper that has seen that the service is there.
async fn listening(host: &TestHost) -> WsClient {
    host.counts("it runs", |counted| counted.services == 1).await;
    let mut client = host.connect("/keeper").await;
    client.say("hello").await;
    // It may have been born just now.
    client.expect_after_others("heard hello 0").await;
    client
}

#[tokio::test]
async fn it_starts_with_the_server_and_hears_events() {
    let host = TestHost::with(&["keeper", "probe"]).await;
    assert!(host.mounts.iter().any(|line| line.contains("websocket, service")), "{:?}", host.mounts);
    let mut client = listening(&host).await;
    client.exchange("later", "heard it is later 0").await;
    let mut probe = host.connect("/probe/x").await;
    probe.exchange("multicast everybody", "ok").await;
    client.expect("heard everybody 0").await;
    client.say("id").await;
    let id = client.hear_text().await;
    probe.exchange(&format!("unicast {id} you alone"), "ok").await;
    client.expect("heard you alone 0").await;
    client.say("multicast").await;
    probe.expect("told multicast of a service").await;
    // There is nobody to send to.
    client.say("send").await;
    client.expect_start("invalid: there is nobody to send to").await;
    host.counts("services and services_restarted", |counted| (counted.services, counted.services_restarted) == (1, 0))
        .await;
    // Clients come and go in sandboxes of their own.
    client.leave().await;
    listening(&host).await;
}

#[tokio::test]
async fn a_trap_makes_it_anew_under_the_same_id() {
    let host = TestHost::with(&["keeper"]).await;
    let mut client = listening(&host).await;
    client.say("id").await;
    let id = client.hear_text().await;
    for _ in 0..2 {
        client.exchange("trap", "born").await;
    }
    client.exchange("id", &id).await;
    host.counts("two restarts", |counted| counted.services_restarted == 2 && counted.traps == 2).await;
    host.counts("services", |counted| counted.services == 1).await;
}

#[tokio::test]
async fn it_has_what_it_has_saved_unless_that_can_not_be_resumed() {
    let host = TestHost::with(&["keeper"]).await;
    let mut client = listening(&host).await;
    client.exchange("save 7", "saved 7").await;
    client.exchange("trap", "back 7").await;
    client.exchange("hello", "heard hello 7").await;
    client.exchange("save 13", "saved 13").await;
    client.exchange("trap", "born").await;
    client.exchange("hello", "heard hello 0").await;
    host.counts("services and traps", |counted| (counted.services, counted.traps) == (1, 3)).await;
}

#[tokio::test]
async fn waits_between_failures_get_longer() {
    let host = TestHost::with(&["keeper"]).await;
    let mut client = listening(&host).await;
    let begin = std::time::Instant::now();
    for _ in 0..3 {
        client.exchange("trap", "born").await;
    }
    // At least half of 0.5, 1 and 2 seconds.
    assert!(begin.elapsed() >= std::time::Duration::from_millis(1_700), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn who_closes_itself_has_ended() {
    let host = TestHost::with(&["keeper"]).await;
    let mut client = listening(&host).await;
    client.exchange("close", "closed 1000").await;
    host.counts("it has ended", |counted| counted.services == 0).await;
    assert_eq!(host.counted().services_restarted, 0);
}

#[tokio::test]
async fn it_hears_multicasts_of_other_servers() {
    let redis = RedisServer::start().await;
    let fleet = || TestHost::serving(&["keeper", "probe"]).redis(&redis.url());
    let (here, there) = (fleet().start().await, fleet().start().await);
    let mut probe = there.connect("/probe/x").await;
    there.counts("it runs", |counted| counted.services == 1).await;
    let mut client = listening(&here).await;
    listened_to(&redis, "keeper", 1).await;
    // Each service answers, and each answer reaches all subscribers.
    probe.exchange("multicast everybody", "ok").await;
    for _ in 0..2 {
        client.expect_after_others("heard everybody 0").await;
    }
    there.stop().await;
    client.say("alone").await;
    client.expect_after_others("heard alone 0").await;
}

#[tokio::test]
async fn an_operator_switches_it_on_and_off() {
    let off = TestHost::serving(&["keeper"])
        .config(|config| config.overrides.entry("keeper".into()).or_default().service = Some(false))
        .start()
        .await;
    assert!(!off.mounts[0].contains("service"), "{:?}", off.mounts);
    let mut client = off.connect("/keeper").await;
    client.say("hello").await;
    off.counts("it is told", |counted| counted.events_emitted >= 1).await;
    assert_eq!(off.counted().services, 0);
    let on = TestHost::serving(&["echo", "plain-http"])
        .config(|config| {
            for name in ["echo", "plain-http"] {
                config.overrides.entry(name.into()).or_default().service = Some(true);
            }
        })
        .start()
        .await;
    assert!(on.mounts.len() == 1 && on.mounts[0].contains("websocket, service"), "{:?}", on.mounts);
    assert!(on.rejected[0].contains("is to be a service and does not export"), "{:?}", on.rejected);
    on.counts("it runs", |counted| counted.services == 1).await;
}

#[tokio::test]
async fn it_ends_with_the_server() {
    let host = TestHost::with(&["keeper"]).await;
    listening(&host).await;
    within("the host stops", host.stop()).await;
}
