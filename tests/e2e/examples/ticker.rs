//! `examples/ticker`: prices by topic.

use crate::harness::host::TestHost;
use serde_json::json;

#[tokio::test]
async fn a_quote_reaches_the_watchers_of_its_symbol() {
    let host = TestHost::with(&["ticker"]).await;
    let mut one = host.connect("/ticker/ABC").await;
    let mut two = host.connect("/ticker/ABC").await;
    let mut other = host.connect("/ticker/XYZ").await;
    // Nobody has answered yet, so it is not certain that their constructors have run; a quote of each is.
    other.say(r#"{"event":"quote","price":1}"#).await;
    assert_eq!(other.expect_json().await, json!({ "symbol": "XYZ", "price": 1.0 }));
    two.say(r#"{"event":"quote","price":2}"#).await;
    assert_eq!(two.expect_json().await, json!({ "symbol": "ABC", "price": 2.0 }));
    assert_eq!(one.expect_json().await["price"], 2.0);

    one.say(r#"{"event":"quote","price":12.5}"#).await;
    for watcher in [&mut one, &mut two] {
        assert_eq!(watcher.expect_json().await, json!({ "symbol": "ABC", "price": 12.5 }));
    }
    other.say(r#"{"event":"quote","price":3}"#).await;
    assert_eq!(other.expect_json().await["price"], 3.0, "and nothing before it");
}

#[tokio::test]
async fn a_thousand_watchers_cost_one_call() {
    let host = TestHost::with(&["ticker"]).await;
    let mut watchers = Vec::new();
    for _ in 0..1_000 {
        watchers.push(host.connect("/ticker/ABC").await);
    }
    let last = watchers.last_mut().expect("a thousand");
    last.say(r#"{"event":"quote","price":7}"#).await;
    for watcher in &mut watchers {
        assert_eq!(watcher.expect_json().await["price"], 7.0);
    }
    let counted = host.counted();
    assert_eq!((counted.published, counted.events_emitted, counted.messages_out), (1, 0, 1_000));
}

#[tokio::test]
async fn a_quote_that_is_none_is_not_published() {
    let host = TestHost::with(&["ticker"]).await;
    let mut one = host.connect("/ticker/ABC").await;
    one.say(r#"{"event":"quote","price":"high"}"#).await;
    one.say(r#"{"event":"quote","price":1}"#).await;
    assert_eq!(one.expect_json().await["price"], 1.0);
    assert_eq!((host.counted().misfits, host.counted().published), (1, 1));
}
