//! More and more of what others have to deal with.

use super::Scene;
use crate::harness::frames::{Frame, TEXT};
use std::time::Duration;

/// So many events a second that the flood itself takes no time.
const FEW: usize = 200;

/// As much CPU as a flood needs to meet its own limit first, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn floods_the_log_by_stderr() {
    let mut scene = Scene::with("floods-the-log-by-stderr", |config| config.guest.cpu_time = PATIENCE).await;
    assert_eq!(scene.says("stderr").await, "printed");
    scene.stopped_by("log-rate").await;
    assert!(scene.host.counted().log_lines_dropped >= 1);
}

#[tokio::test]
async fn floods_the_log_by_stdout() {
    let mut scene = Scene::with("floods-the-log-by-stdout", |config| config.guest.cpu_time = PATIENCE).await;
    assert_eq!(scene.says("stdout").await, "printed");
    scene.stopped_by("log-rate").await;
}

#[tokio::test]
async fn prints_all_at_once() {
    let mut scene = Scene::new("prints-all-at-once").await;
    scene.ends("gush", 1011).await;
    scene.logs("more was written than the stream has said that it takes").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn floods_the_log_by_complaints() {
    let mut scene = Scene::with("floods-the-log-by-complaints", |config| config.guest.cpu_time = PATIENCE).await;
    assert_eq!(scene.says("misfits").await, "complained");
    scene.stopped_by("log-rate").await;
    assert_eq!(scene.host.counted().misfits, 1_000);
}

/// A flood that is refused at the rate of events.
async fn flood(name: &str, deed: &str) {
    let mut scene = Scene::with(name, |config| {
        config.guest.event_rate = FEW;
        config.guest.cpu_time = PATIENCE;
    })
    .await;
    let said = scene.says(deed).await;
    assert!(said.starts_with("refused: ") && said.contains("200"), "{said}");
    scene.stopped_by("event-rate").await;
}

#[tokio::test]
async fn floods_its_siblings_with_events() {
    flood("floods-its-siblings-with-events", "broadcast").await;
}

#[tokio::test]
async fn floods_everybody_with_events() {
    flood("floods-everybody-with-events", "multicast").await;
}

#[tokio::test]
async fn floods_a_topic() {
    flood("floods-a-topic", "publish").await;
}

#[tokio::test]
async fn floods_a_mailbox() {
    flood("floods-a-mailbox", "notify").await;
}

#[tokio::test]
async fn guesses_the_ids_of_others() {
    flood("guesses-the-ids-of-others", "guess").await;
}

/// A flood that is refused at the rate of store calls.
async fn store_flood(name: &str, deed: &str) {
    let mut scene = Scene::with(name, |config| {
        config.guest.store_rate = FEW;
        config.guest.cpu_time = PATIENCE;
        config.guest.call_time = PATIENCE;
    })
    .await;
    let said = scene.says(deed).await;
    assert!(said.starts_with("refused: unavailable: ") && said.contains("its 200 calls"), "{said}");
    scene.stopped_by("store-rate").await;
}

#[tokio::test]
async fn subscribes_without_end() {
    store_flood("subscribes-without-end", "subscribe").await;
}

#[tokio::test]
async fn unsubscribes_without_end() {
    store_flood("unsubscribes-without-end", "unsubscribe").await;
}

#[tokio::test]
async fn asks_who_is_registered_without_end() {
    store_flood("asks-who-is-registered-without-end", "registered").await;
}

#[tokio::test]
async fn unregisters_without_end() {
    store_flood("unregisters-without-end", "unregister").await;
}

#[tokio::test]
async fn floods_at_the_usual_rate() {
    let mut scene = Scene::with("floods-at-the-usual-rate", |config| config.guest.cpu_time = PATIENCE).await;
    let said = scene.says("multicast").await;
    assert!(said.contains("20000"), "{said}");
    scene.stopped_by("event-rate").await;
}

#[tokio::test]
async fn floods_a_slow_client() {
    let mut scene = Scene::with("floods-a-slow-client", |config| config.guest.cpu_time = PATIENCE).await;
    let mut client = scene.host.raw("/hostile/slow-client").await;
    let flooded = async {
        client.send(Frame::new(TEXT, "go")).await;
        scene.host.counts("it is closed", |counted| counted.slow_clients == 1).await;
    };
    scene.bystander.meanwhile("slow-client", flooded).await;
    scene.stopped_by("outbox").await;
}

#[tokio::test]
async fn sends_an_enormous_message() {
    let mut scene = Scene::new("sends-an-enormous-message").await;
    assert_eq!(scene.says("enormous-message").await, "Err(TooLarge)");
    scene.stopped_by("outbox").await;
}

#[tokio::test]
async fn has_its_own_outbox() {
    let name = "has-its-own-outbox";
    let mut scene = Scene::with(name, |config| {
        config.overrides.entry(name.to_owned()).or_default().outbox = Some(4 << 20);
    })
    .await;
    let mut client = scene.connect("enormous-message").await;
    client.say("go").await;
    client.expect_bytes(&vec![0; 3 << 20]).await;
    client.expect("Ok(())").await;
    assert_eq!(scene.hits("outbox"), 0);
    scene.bystander.meanwhile("nothing", std::future::ready(())).await;
}
