//! The chat against the SDK's fake host: native, without a server.

use lakou_sdk::testing::{Client, Host};
use lakou_sdk::{Value, json};

use super::Chat;

fn join(host: &Host, room: &str, name: &str) -> Client {
    host.connect::<Chat>(format!("/chat/{room}?name={name}").as_str()).expect("a nickname that fits")
}

#[test]
fn those_in_a_room_see_who_comes_and_goes() {
    let host = Host::new();
    let alice = join(&host, "lobby", "alice");
    let bob = join(&host, "lobby", "bob");

    assert_eq!(alice.json(), [json!({ "event": "joined", "name": "bob" })]);
    assert_eq!(bob.json(), [json!({ "event": "here", "name": "alice" })]);

    bob.leave();
    assert_eq!(alice.json(), [json!({ "event": "left", "name": "bob" })]);
}

#[test]
fn what_is_said_stays_in_the_room() {
    let host = Host::new();
    let [alice, bob] = ["alice", "bob"].map(|name| join(&host, "lobby", name));
    let carol = join(&host, "kitchen", "carol");
    alice.received();
    bob.received();

    alice.call("say", json!({ "text": " hi " }));

    let said = [json!({ "event": "said", "name": "alice", "text": "hi" })];
    assert_eq!(alice.json(), said);
    assert_eq!(bob.json(), said);
    assert_eq!(carol.json(), [] as [Value; 0]);
}

#[test]
fn a_nickname_is_needed() {
    let host = Host::new();
    for query in ["", "?name=", "?name=%20", "?name=a%0Ab", "?name=1234567890123456789012345", "?nick=bob"] {
        let refusal = host.connect::<Chat>(format!("/chat/lobby{query}").as_str()).expect_err(query);
        assert_eq!(refusal.status(), 400, "{query}");
    }
    assert_eq!(join(&host, "lobby", "J%C3%BCrgen+K").closing(), None);
}

#[test]
fn texts_have_a_length() {
    let host = Host::new();
    let alice = join(&host, "lobby", "alice");
    for text in [String::new(), " ".to_owned(), "x".repeat(2001)] {
        alice.call("say", json!({ "text": text }));
        assert_eq!(alice.json()[0]["event"], "refused");
    }
}

#[test]
fn clients_cannot_speak_for_others() {
    let host = Host::new();
    let alice = join(&host, "lobby", "alice");

    alice.call("said", json!({ "room": "lobby", "name": "bob", "text": "I am bob" }));
    alice.call("say", json!({ "txt": "hi" }));
    alice.call("shout", json!({ "text": "hi" }));

    assert_eq!(alice.json(), [] as [Value; 0]);
    let reasons: Vec<String> = host.misfits().into_iter().map(|misfit| misfit.reason).collect();
    let expected = ["clients may not call this method", "argument `text` is missing", "there is no such method"];
    assert_eq!(reasons, expected);
}
