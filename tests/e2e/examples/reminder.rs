//! `examples/reminder`: events that a connection sends to itself, later.

use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Asks for a reminder and expects that it is set as `number`.
async fn set(client: &mut WsClient, how: &str, text: &str, seconds: f64, number: u32) {
    client.say(&json!({ "event": how, "text": text, "seconds": seconds }).to_string()).await;
    assert_eq!(client.expect_json().await, json!({ "event": "set", "number": number }));
}

async fn rings(client: &mut WsClient, number: u32, text: &str) {
    assert_eq!(client.expect_json().await, json!({ "event": "ring", "number": number, "text": text }));
}

/// Cancels `number`, and skips what rings before that is done.
async fn cancel(client: &mut WsClient, number: u32) {
    client.say(&json!({ "event": "cancel", "number": number }).to_string()).await;
    let cancelled = json!({ "event": "cancelled", "number": number, "known": true });
    loop {
        let heard: Value = client.expect_json().await;
        if heard == cancelled {
            return;
        }
        assert_eq!(heard["event"], "ring");
    }
}

#[tokio::test]
async fn a_reminder_comes_when_its_time_has_come() {
    let host = TestHost::with(&["reminder"]).await;
    let mut ann = host.connect("/reminder").await;
    let begin = Instant::now();
    set(&mut ann, "remind", "later", 0.2, 1).await;
    set(&mut ann, "remind", "sooner", 0.05, 2).await;
    rings(&mut ann, 2, "sooner").await;
    assert!(begin.elapsed() >= Duration::from_millis(50));
    rings(&mut ann, 1, "later").await;
    assert!(begin.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn nagging_goes_on_until_it_is_cancelled() {
    let host = TestHost::with(&["reminder"]).await;
    let mut ann = host.connect("/reminder").await;
    let mut ben = host.connect("/reminder").await;
    let begin = Instant::now();
    set(&mut ann, "nag", "water", 0.02, 1).await;
    for _ in 0..5 {
        rings(&mut ann, 1, "water").await;
    }
    assert!(begin.elapsed() >= Duration::from_millis(100));
    cancel(&mut ann, 1).await;
    // Cancelled, too, before it comes; what is set after them comes next.
    set(&mut ann, "remind", "tea", 0.5, 2).await;
    cancel(&mut ann, 2).await;
    set(&mut ann, "remind", "last", 0.6, 3).await;
    rings(&mut ann, 3, "last").await;

    // Nobody else has heard any of it.
    set(&mut ben, "remind", "first", 0.01, 1).await;
    rings(&mut ben, 1, "first").await;
}

#[tokio::test]
async fn there_may_be_so_many_at_a_time() {
    let host = TestHost::with(&["reminder"]).await;
    let mut ann = host.connect("/reminder").await;
    // One is the end of the visit.
    for number in 1..64 {
        set(&mut ann, "remind", "one day", 86_400.0, number).await;
    }
    ann.say(r#"{"event":"remind","text":"one too many","seconds":1}"#).await;
    assert_eq!(ann.expect_json().await["event"], "refused");
    cancel(&mut ann, 1).await;
    set(&mut ann, "remind", "soon", 0.01, 64).await;
    rings(&mut ann, 64, "soon").await;
    // What has rung makes room, although its number was never cancelled.
    set(&mut ann, "remind", "soon", 0.01, 65).await;
    rings(&mut ann, 65, "soon").await;

    for (how, seconds) in [("remind", -1.0), ("remind", 1e9), ("nag", 0.001)] {
        ann.say(&json!({ "event": how, "text": "x", "seconds": seconds }).to_string()).await;
        assert_eq!(ann.expect_json().await["event"], "refused", "{how} {seconds}");
    }
}

#[tokio::test]
async fn clients_can_not_ring() {
    let host = TestHost::with(&["reminder"]).await;
    let mut ann = host.connect("/reminder").await;
    ann.say(r#"{"event":"visit_is_over"}"#).await;
    set(&mut ann, "remind", "tea", 0.01, 1).await;
    rings(&mut ann, 1, "tea").await;
    host.counts("misfits", |counted| counted.misfits == 1).await;
}
