//! As much as there is of what the host has, and a little more.

use super::{SOON, Scene};
use crate::harness::components;
use crate::harness::redis::RedisServer;
use crate::harness::wait::within;
use futures_util::future::join_all;

#[tokio::test]
async fn allocates_without_end() {
    let mut scene = Scene::new("allocates-without-end").await;
    scene.ends("memory", 1011).await;
    scene.stopped_by("memory").await;
    assert!(scene.host.counted().memory_refused >= 1);
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn allocates_more_than_it_may_by_its_own_setting() {
    let name = "allocates-more-than-it-may-by-itself";
    let mut scene = Scene::with(name, |config| {
        config.overrides.entry(name.to_owned()).or_default().memory = Some(4 << 20);
    })
    .await;
    scene.ends("memory", 1011).await;
    scene.logs("growth beyond 4194304 bytes").await;
}

#[tokio::test]
async fn grows_two_memories() {
    // Each is within 64 MiB by itself.
    let mut scene = Scene::made("grows-two-memories", &components::grows_two_memories()).await;
    scene.answers("any", 500).await;
    scene.stopped_by("memory").await;
    assert_eq!(scene.host.counted().memory_refused, 1);
}

#[tokio::test]
async fn grows_tables() {
    let mut scene = Scene::made("grows-tables", &components::grows_tables()).await;
    scene.answers("any", 500).await;
    scene.stopped_by("table-elements").await;
}

#[tokio::test]
async fn hoards_pollables() {
    let mut scene = Scene::new("hoards-pollables").await;
    scene.ends("pollables", 1011).await;
    scene.stopped_by("max-handles").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn hoards_header_fields() {
    let mut scene = Scene::new("hoards-header-fields").await;
    scene.ends("fields", 1011).await;
    scene.stopped_by("max-handles").await;
}

#[tokio::test]
async fn hoards_methods() {
    let mut scene = Scene::new("hoards-methods").await;
    assert_eq!(scene.says("methods").await, "Err(())");
}

#[tokio::test]
async fn hoards_events_of_timers_that_are_over() {
    let mut scene = Scene::new("hoards-events-of-timers-that-are-over").await;
    assert_eq!(scene.says("ticks").await, "64 set");
    scene.stopped_by("max-timers").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn hands_over_more_than_any_message_has() {
    let mut scene = Scene::new("hands-over-more-than-any-message-has").await;
    scene.ends("handover", 1011).await;
    scene.stopped_by("max-handover").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn asks_for_a_tebibyte_of_randomness() {
    let mut scene = Scene::new("asks-for-a-tebibyte-of-randomness").await;
    scene.ends("random", 1011).await;
    scene.host.counts("a trap", |counted| counted.traps == 1).await;
}

#[tokio::test]
async fn saves_too_much() {
    let mut scene = Scene::new("saves-too-much").await;
    assert_eq!(scene.says("save").await, "Err(TooLarge)");
    scene.stopped_by("max-state").await;
}

#[tokio::test]
async fn suspends_to_too_much() {
    let scene = Scene::with("suspends-to-too-much", |config| config.guest.hibernate_after = SOON).await;
    let mut client = scene.connect("suspend-too-much").await;
    scene.stopped_by("max-state").await;
    client.exchange("awake", "awake").await;
    assert_eq!(scene.host.counted().hibernations, 0);
}

#[tokio::test]
async fn sets_thousands_of_timers() {
    let mut scene = Scene::new("sets-thousands-of-timers").await;
    let said = scene.says("timers").await;
    assert!(said.starts_with("64 set"), "{said}");
    scene.stopped_by("max-timers").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn subscribes_to_thousands_of_topics() {
    let mut scene = Scene::new("subscribes-to-thousands-of-topics").await;
    let said = scene.says("topics").await;
    assert!(said.starts_with("128 had"), "{said}");
    scene.stopped_by("max-topics").await;
}

#[tokio::test]
async fn has_its_own_number_of_topics() {
    let name = "has-its-own-number-of-topics";
    let mut scene = Scene::with(name, |config| {
        config.overrides.entry(name.to_owned()).or_default().max_topics = Some(3);
    })
    .await;
    let said = scene.says("topics").await;
    assert!(said.starts_with("3 had"), "{said}");
    scene.stopped_by("max-topics").await;
}

#[tokio::test]
async fn takes_all_requests_of_the_server() {
    let mut scene = Scene::with("takes-all-requests-of-the-server", |config| {
        config.max_requests = 2;
        config.max_requests_per_address = Some(9);
        config.guest.requests = Some(9);
        config.guest.call_time = SOON;
    })
    .await;
    let asking = (0..9).map(|_| scene.host.ask("GET", "/hostile/http-sleep").get());
    let answers = scene.bystander.meanwhile("http-sleep", join_all(asking)).await;
    assert!(answers.iter().any(|answer| answer.status == 503));
    scene.stopped_by("max-requests").await;
}

#[tokio::test]
async fn takes_all_instances_of_the_server() {
    let mut scene = Scene::with("takes-all-instances-of-the-server", |config| {
        config.guest.connections_per_instance = 1;
        config.guest.instances = Some(9);
        config.max_instances = 3;
    })
    .await;
    let _clients = [scene.connect("any").await, scene.connect("any").await];
    scene.refused("any", 503).await;
    scene.stopped_by("max-instances").await;
}

#[tokio::test]
async fn emits_an_event_that_is_too_large() {
    let mut scene = Scene::new("emits-an-event-that-is-too-large").await;
    assert_eq!(scene.says("enormous-event").await, "Err(TooLarge)");
    scene.stopped_by("max-event").await;
}

#[tokio::test]
async fn publishes_what_is_too_large() {
    let mut scene = Scene::new("publishes-what-is-too-large").await;
    assert_eq!(scene.says("enormous-publication").await, "Err(TooLarge)");
    scene.stopped_by("max-message").await;
}

#[tokio::test]
async fn fills_mailboxes_that_nobody_reads() {
    let name = "fills-mailboxes-that-nobody-reads";
    let mut scene = Scene::with(name, |config| {
        config.overrides.entry(name.to_owned()).or_default().max_mailboxes = Some(1 << 20);
    })
    .await;
    let said = scene.says("mailboxes").await;
    assert_eq!(
        said,
        "51 filled: unavailable: the mailboxes of the controller are full: 1048576 bytes are what they may hold together"
    );
    scene.stopped_by("max-mailboxes").await;
}

#[tokio::test]
async fn fills_mailboxes_in_redis() {
    let redis = RedisServer::start().await;
    let name = "fills-mailboxes-in-redis";
    let url = redis.url();
    let mut scene = Scene::with(name, |config| {
        config.redis = Some(url.parse().expect("a URL"));
        config.overrides.entry(name.to_owned()).or_default().max_mailboxes = Some(1 << 20);
    })
    .await;
    let said = scene.says("mailboxes").await;
    assert!(said.starts_with("52 filled: unavailable: the mailboxes of the controller are full: "), "{said}");
    scene.stopped_by("max-mailboxes").await;
    scene.host.connect("/echo").await.exchange("still here", "still here").await;
}

#[tokio::test]
async fn registers_again_and_again() {
    let mut scene = Scene::new("registers-again-and-again").await;
    let said = scene.says("registrations").await;
    assert!(
        said.ends_with("had: unavailable: handlers are still busy with what the connection's 8 identities were before"),
        "{said}"
    );
    scene.stopped_by("max-identities").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn takes_all_instances() {
    let mut scene = Scene::with("takes-all-instances", |config| {
        config.guest.connections_per_instance = 1;
        config.max_instances = 6;
    })
    .await;
    let mut clients = Vec::new();
    // The echo has one of the six already, and the half of them is one controller's.
    for _ in 0..3 {
        clients.push(scene.connect("any").await);
    }
    scene.refused("any", 503).await;
    scene.stopped_by("instances-per-controller").await;
    scene.host.connect("/echo").await.exchange("there is room", "there is room").await;
    clients.pop();
    scene.host.counts("there is room again", |counted| counted.instances == 3).await;
    clients.push(scene.connect("any").await);
}

#[tokio::test]
async fn takes_all_connections() {
    let mut scene = Scene::with("takes-all-connections", |config| config.max_connections = 8).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(scene.connect("any").await);
    }
    scene.refused("any", 503).await;
    scene.stopped_by("connections-per-controller").await;
    scene.host.connect("/echo").await.exchange("there is room", "there is room").await;
}

#[tokio::test]
async fn takes_all_plain_requests() {
    let mut scene = Scene::with("takes-all-plain-requests", |config| {
        config.max_requests = 4;
        config.max_requests_per_address = Some(4);
        config.guest.call_time = SOON;
    })
    .await;
    // Two at a time, and each takes as long as a call may: the last of ten waits for too long.
    let asking: Vec<_> = (0..10).map(|_| tokio::spawn(scene.host.ask("GET", "/hostile/http-sleep").get())).collect();
    let all = async {
        let mut statuses = Vec::new();
        for asked in asking {
            statuses.push(within("an answer", asked).await.expect("no panic").status);
        }
        statuses
    };
    let statuses = scene.bystander.meanwhile("http-sleep", all).await;
    assert!(statuses.contains(&500) && statuses.contains(&503), "{statuses:?}");
    scene.stopped_by("requests-per-controller").await;
    scene.stopped_by("call-time").await;
}
