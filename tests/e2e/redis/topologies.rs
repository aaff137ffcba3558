//! Redis in its other shapes: with TLS and passwords, behind sentinels, as a cluster, with the master failing.

use crate::harness::binary::{self, Call};
use crate::harness::fleet::{known, member, members};
use crate::harness::host::TestHost;
use crate::harness::redis::RedisServer;
use crate::harness::redis::cluster::Cluster;
use crate::harness::redis::sentinels::Sentinels;
use crate::harness::wait::{until, within_bound};
use crate::harness::ws::WsClient;
use std::time::Duration;

/// A failover waits for time-outs of its own, and for those who notice it.
const FAILOVER: Duration = Duration::from_secs(40);

#[tokio::test]
async fn with_a_password_and_a_database() {
    let redis = RedisServer::with(&["--requirepass", "se%cret"]).await;
    let url = redis.url_of_database(2).replace('%', "%25");
    let [a, b] = members::<2>(&url).await;
    let ((mut one, _), (mut two, _)) = (known(&a).await, known(&b).await);
    one.exchange("broadcast hello", "ok").await;
    two.expect("told hello").await;
}

#[tokio::test]
async fn over_tls_with_an_authority_of_ones_own() {
    let redis = RedisServer::tls().await;
    let authority = redis.authority().display().to_string();
    let serve = || {
        let call = Call::serve().guests(&["probe"]).anywhere().env("SSL_CERT_FILE", &authority);
        call.args(&["--redis", &redis.url()]).listening()
    };
    let ((_a, to_a), (_b, to_b)) = (serve().await, serve().await);
    let mut one = binary::connect(to_a, "/probe/x").await;
    let mut two = binary::connect(to_b, "/probe/x").await;
    two.exchange("echo in", "in").await;
    one.exchange("broadcast hello", "ok").await;
    two.expect("told hello").await;
}

/// One sends numbers while something happens; the other hears what was accepted, once and in order. Says who they were, and
/// the id of the other.
async fn survives(a: &TestHost, b: &TestHost, trouble: impl AsyncFnOnce()) -> (WsClient, WsClient, String) {
    let ((mut sender, _), (mut receiver, id)) = (known(a).await, known(b).await);
    let mut accepted = Vec::new();
    let mut next = 0;
    let over = std::cell::Cell::new(false);
    let trouble = async {
        trouble().await;
        over.set(true);
    };
    let send = async {
        let mut pulse = tokio::time::interval(Duration::from_millis(5));
        while !over.get() || next < 1_000 {
            pulse.tick().await;
            sender.say(&format!("broadcast {next}")).await;
            match sender.hear_text().await.as_str() {
                "ok" => accepted.push(format!("told {next}")),
                refused => assert!(refused.starts_with("unavailable: "), "{refused}"),
            }
            next += 1;
        }
    };
    tokio::join!(trouble, send);
    let connected = async || a.bus_health().connected && b.bus_health().connected;
    until(FAILOVER, "both are back", connected).await;
    sender.exchange("broadcast end", "ok").await;
    accepted.push("told end".to_owned());
    for expected in accepted {
        within_bound(Duration::from_secs(10), &expected, receiver.expect(&expected)).await;
    }
    assert_eq!((a.counted().events_lost, b.counted().events_lost), (0, 0));
    (sender, receiver, id)
}

#[tokio::test]
async fn sentinels_that_choose_another_master() {
    let mut sentinels = Sentinels::start().await;
    let [a, b] = members::<2>(&sentinels.url()).await;
    survives(&a, &b, async || {
        sentinels.replicated().await;
        sentinels.kill_master();
        sentinels.failed_over().await;
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_loses_a_master() {
    let mut cluster = Cluster::start().await;
    let [a, b] = members::<2>(&cluster.url()).await;
    let (mut one, mut two, id) = survives(&a, &b, async || {
        cluster.kill_master_of("lakou:controller:probe").await;
        cluster.healthy().await;
    })
    .await;
    // Each kind of call, over channels on different nodes.
    for (call, heard) in [("multicast m", "told m"), ("broadcast b", "told b"), (&format!("unicast {id} u"), "told u")]
    {
        one.exchange(call, "ok").await;
        two.expect(heard).await;
    }
    two.exchange("subscribe news", "ok").await;
    until(FAILOVER, "a publication arrives", async || {
        one.exchange("publish news hello", "ok").await;
        two.say("echo mark").await;
        match two.hear_text().await.as_str() {
            "hello" => true,
            "mark" => false,
            other => panic!("{other}"),
        }
    })
    .await;
}

#[tokio::test]
async fn the_servers_begin_alone_and_join_when_redis_comes() {
    let mut redis = RedisServer::start().await;
    redis.kill();
    let (a, b) = (member(&redis.url()).start().await, member(&redis.url()).start().await);
    assert!(!a.bus_health().connected && a.bus_health().degraded_since.is_some());
    let ((mut one, _), (mut sibling, _), (mut two, _)) = (known(&a).await, known(&a).await, known(&b).await);
    one.exchange("broadcast alone", "ok").await;
    sibling.expect("told alone").await;
    redis.restart().await;
    a.is_connected().await;
    b.is_connected().await;
    one.exchange("broadcast together", "ok").await;
    sibling.expect("told together").await;
    two.expect_after_others("told together").await;
}
