//! `examples/notifications`: a user is told, in two tabs at most, now or when one is open again.

use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;
use serde_json::{Value, json};

/// An open tab of a user, who is registered by now.
async fn tab(host: &TestHost, user: &str) -> WsClient {
    let mut tab = host.connect(&format!("/notifications/{user}")).await;
    assert_eq!(tab.expect_json().await, json!({ "event": "welcome" }));
    tab
}

async fn tell(host: &TestHost, user: &str, text: &str) {
    let answer = host.ask("POST", &format!("/notifications/{user}")).body(text).get().await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// Expects the notification `text`, and gives its id.
async fn told(tab: &mut WsClient, text: &str) -> Value {
    let notified = tab.expect_json().await;
    assert_eq!(notified, json!({ "event": "notified", "id": notified["id"], "text": text }));
    assert!(notified["id"].is_string(), "{notified}");
    notified["id"].clone()
}

#[tokio::test]
async fn both_tabs_get_the_same_notification() {
    let host = TestHost::with(&["notifications"]).await;
    let mut one = tab(&host, "ann").await;
    let mut two = tab(&host, "ann").await;
    let mut ben = tab(&host, "ben").await;
    let mut ids = Vec::new();
    for text in ["Tea is ready", "Manje pare 🍲"] {
        tell(&host, "ann", text).await;
        let id = told(&mut one, text).await;
        assert_eq!(told(&mut two, text).await, id);
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    tell(&host, "ben", "and ben").await;
    told(&mut ben, "and ben").await;
}

#[tokio::test]
async fn who_comes_back_finds_what_was_missed_in_order() {
    let host = TestHost::with(&["notifications"]).await;
    let mut one = tab(&host, "ann").await;
    let mut two = tab(&host, "ann").await;
    tell(&host, "ann", "seen").await;
    told(&mut one, "seen").await;
    told(&mut two, "seen").await;
    // A client has it before the host has noted that.
    host.counts("both tabs are noted", |counted| counted.notifications_handled == 2).await;
    one.leave().await;
    two.leave().await;
    host.counts("ann is gone", |counted| counted.connections == 0).await;

    let missed: Vec<String> = (0..20).map(|number| format!("missed {number}")).collect();
    for text in &missed {
        tell(&host, "ann", text).await;
    }
    let mut back = tab(&host, "ann").await;
    for text in &missed {
        told(&mut back, text).await;
    }
    tell(&host, "ann", "new").await;
    told(&mut back, "new").await;
    host.counts("all are noted", |counted| counted.notifications_handled == 2 + 20 + 1).await;

    // Handled is handled: another tab begins with what comes next.
    let mut other = tab(&host, "ann").await;
    tell(&host, "ann", "newer").await;
    told(&mut other, "newer").await;
    told(&mut back, "newer").await;
}

#[tokio::test]
async fn a_third_tab_takes_the_place_of_the_first() {
    let host = TestHost::with(&["notifications"]).await;
    let mut first = tab(&host, "ann").await;
    let mut second = tab(&host, "ann").await;
    let mut third = tab(&host, "ann").await;
    assert_eq!(first.expect_close(4000).await, "open in newer tabs");
    tell(&host, "ann", "tea").await;
    assert_eq!(told(&mut second, "tea").await, told(&mut third, "tea").await);
}

#[tokio::test]
async fn who_tells_learns_what_became_of_it() {
    let host = TestHost::with(&["notifications"]).await;
    let nobody = host.ask("POST", "/notifications/ann").body("tea").get().await;
    assert_eq!(nobody.status, 404, "{}", nobody.text());
    let mut ann = tab(&host, "ann").await;
    assert_eq!(host.ask("POST", "/notifications/ann").body(b"\xff").get().await.status, 400);
    let wrong = host.ask("DELETE", "/notifications/ann").get().await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.header("allow").is_some_and(|allowed| allowed.contains("POST")));
    let usage = host.ask("GET", "/notifications/ann").get().await;
    assert!(usage.status == 200 && usage.text().contains("POST"));
    host.knock("/notifications/a%20b").refused(400).await;
    tell(&host, "ann", "tea").await;
    told(&mut ann, "tea").await;
}

#[tokio::test]
async fn clients_can_not_notify() {
    let host = TestHost::with(&["notifications"]).await;
    let mut ann = tab(&host, "ann").await;
    ann.say(r#"{"event":"notified","text":"forged"}"#).await;
    tell(&host, "ann", "true").await;
    told(&mut ann, "true").await;
}
