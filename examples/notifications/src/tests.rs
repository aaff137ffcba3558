//! The notification center against the SDK's fake host: native, without a server.

use lakou_sdk::http::{Request, StatusCode};
use lakou_sdk::json;
use lakou_sdk::testing::{Client, Host};

use super::Notifications;

/// An open tab of a user, who has been welcomed.
fn tab(host: &Host, name: &str) -> Client {
    let tab = host.connect::<Notifications>(format!("/notifications/{name}").as_str()).expect("a name that fits");
    assert_eq!(tab.json()[0], json!({ "event": "welcome" }));
    tab
}

fn post(host: &Host, name: &str, text: impl Into<Vec<u8>>) -> StatusCode {
    let request = Request::post(format!("/notifications/{name}")).body(text.into()).expect("a plain request");
    host.http::<Notifications>(request).status()
}

/// The texts of the notifications that a tab has received.
fn texts(tab: &Client) -> Vec<String> {
    let text = |notified: lakou_sdk::Value| notified["text"].as_str().expect("a notification").to_owned();
    tab.json().into_iter().map(text).collect()
}

#[test]
fn both_tabs_of_a_user_are_told() {
    let host = Host::new();
    let [one, two, other] = ["ann", "ann", "ben"].map(|name| tab(&host, name));

    assert_eq!(post(&host, "ann", "tea"), StatusCode::ACCEPTED);

    let told = one.json();
    assert_eq!(told, [json!({ "event": "notified", "id": told[0]["id"], "text": "tea" })]);
    assert!(told[0]["id"].is_string());
    assert_eq!(two.json(), told);
    assert!(other.received().is_empty());
}

#[test]
fn who_was_away_finds_what_was_missed() {
    let host = Host::new();
    tab(&host, "ann").leave();
    for text in ["one", "two", "three"] {
        assert_eq!(post(&host, "ann", text), StatusCode::ACCEPTED);
    }

    let back = host.connect::<Notifications>("/notifications/ann").expect("a name that fits");
    assert_eq!(back.json().len(), 4, "the welcome, and what has waited");
    assert_eq!(post(&host, "ann", "four"), StatusCode::ACCEPTED);
    assert_eq!(texts(&back), ["four"]);
    assert_eq!(host.mailbox("notifications:ann"), []);
}

#[test]
fn a_third_tab_takes_the_place_of_the_first() {
    let host = Host::new();
    let [first, second, third] = [(), (), ()].map(|()| tab(&host, "ann"));
    assert_eq!(first.closing().map(|closing| closing.code), Some(4000));
    post(&host, "ann", "tea");
    assert_eq!((texts(&second), texts(&third)), (vec!["tea".to_owned()], vec!["tea".to_owned()]));
}

#[test]
fn what_comes_again_has_the_same_id() {
    let host = Host::new();
    let ann = tab(&host, "ann");
    post(&host, "ann", "tea");
    host.repeat_notification("notifications:ann");
    post(&host, "ann", "tea");
    let ids: Vec<_> = ann.json().into_iter().map(|mut notified| notified["id"].take()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[test]
fn who_tells_learns_what_became_of_it() {
    let host = Host::new();
    let ann = tab(&host, "ann");
    for (name, text, status) in [
        ("ann", &b"tea"[..], StatusCode::ACCEPTED),
        ("ben", b"tea", StatusCode::NOT_FOUND),
        ("", b"tea", StatusCode::NOT_FOUND),
        ("ann", b"\xff", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(post(&host, name, text), status, "{name}");
    }
    assert_eq!(texts(&ann), ["tea"]);

    let request = |method: &str| Request::builder().method(method).uri("/notifications/ann").body(Vec::new());
    for (method, status) in [("GET", StatusCode::OK), ("DELETE", StatusCode::METHOD_NOT_ALLOWED)] {
        assert_eq!(host.http::<Notifications>(request(method).expect("a plain request")).status(), status);
    }
}

#[test]
fn while_the_store_is_away_everybody_is_asked_to_come_back() {
    let host = Host::new();
    let ann = tab(&host, "ann");
    host.lose_store();
    assert_eq!(post(&host, "ann", "tea"), StatusCode::SERVICE_UNAVAILABLE);
    let late = host.connect::<Notifications>("/notifications/ann").expect("a name that fits");
    assert_eq!(late.closing().map(|closing| closing.code), Some(1013));
    host.regain_store();
    assert!(ann.received().is_empty() && late.received().is_empty());
}

#[test]
fn clients_can_not_notify() {
    let host = Host::new();
    let ann = tab(&host, "ann");
    ann.call("notified", json!({ "text": "forged" }));
    assert!(ann.received().is_empty());
}

#[test]
fn a_user_has_a_name() {
    let host = Host::new();
    for name in ["a%20b", "a:b", "Zo%C3%AB", &"x".repeat(33)] {
        let refusal = host.connect::<Notifications>(format!("/notifications/{name}").as_str()).expect_err(name);
        assert_eq!(refusal.status(), 400, "{name}");
    }
}
