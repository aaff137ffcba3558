//! `examples/whisper`: private messages by connection id.

use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;
use serde_json::json;

/// A client and its id.
async fn somebody(host: &TestHost) -> (WsClient, String) {
    let mut client = host.connect("/whisper").await;
    let welcome = client.expect_json().await;
    assert_eq!(welcome["event"], "welcome");
    let id = welcome["id"].as_str().expect("an id").to_owned();
    (client, id)
}

async fn whisper(client: &mut WsClient, to: &str, text: &str) {
    client.say(&json!({ "event": "whisper", "to": to, "text": text }).to_string()).await;
}

#[tokio::test]
async fn a_whisper_is_heard_by_one() {
    let host = TestHost::with(&["whisper"]).await;
    let (mut ann, ann_id) = somebody(&host).await;
    let (mut bob, bob_id) = somebody(&host).await;
    let (mut eve, eve_id) = somebody(&host).await;
    whisper(&mut ann, &bob_id, "psst").await;
    assert_eq!(bob.expect_json().await, json!({ "event": "whispered", "from": ann_id, "text": "psst" }));
    whisper(&mut bob, &eve_id, "you too").await;
    assert_eq!(eve.expect_json().await["text"], "you too", "and nothing before it");
}

#[tokio::test]
async fn a_whisper_to_nobody_comes_back() {
    let host = TestHost::with(&["whisper"]).await;
    let (mut ann, _) = somebody(&host).await;
    let (bob, bob_id) = somebody(&host).await;
    bob.leave().await;
    host.counts("bob has left", |counted| counted.connections == 1).await;
    whisper(&mut ann, &bob_id, "psst").await;
    assert_eq!(ann.expect_json().await, json!({ "event": "undelivered", "to": bob_id, "text": "psst" }));
    whisper(&mut ann, "bob", "hey").await;
    assert_eq!(ann.expect_json().await, json!({ "event": "undelivered", "to": "bob", "text": "hey" }));
}

#[tokio::test]
async fn an_id_that_nobody_has_comes_back() {
    let host = TestHost::with(&["whisper"]).await;
    let (mut ann, id) = somebody(&host).await;
    // The same server's part, another connection's part.
    let last = if id.ends_with('0') { "1" } else { "0" };
    let stranger = format!("{}{last}", &id[..35]);
    whisper(&mut ann, &stranger, "psst").await;
    assert_eq!(ann.expect_json().await["event"], "undelivered");
    // Another server's part: that server is not there.
    let first = if id.starts_with('0') { "1" } else { "0" };
    whisper(&mut ann, &format!("{first}{}", &id[1..]), "psst").await;
    assert_eq!(ann.expect_json().await["event"], "undelivered");
}
