//! `examples/chat`: rooms, nicknames, who is here, who comes and who goes.

use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;
use serde_json::{Value, json};

fn said(name: &str, text: &str) -> Value {
    json!({ "event": "said", "name": name, "text": text })
}

fn about(event: &str, name: &str) -> Value {
    json!({ "event": event, "name": name })
}

async fn say(client: &mut WsClient, text: &str) {
    client.say(&json!({ "event": "say", "text": text }).to_string()).await;
}

async fn hears(client: &mut WsClient, what: Value) {
    assert_eq!(client.expect_json().await, what);
}

#[tokio::test]
async fn a_room_talks() {
    let host = TestHost::with(&["chat"]).await;
    let mut ann = host.connect("/chat/yard?name=ann").await;
    let mut bob = host.connect("/chat/yard?name=bob").await;
    hears(&mut ann, about("joined", "bob")).await;
    hears(&mut bob, about("here", "ann")).await;

    say(&mut ann, "hi").await;
    hears(&mut ann, said("ann", "hi")).await;
    hears(&mut bob, said("ann", "hi")).await;
    say(&mut bob, "<b>hi</b> yourself 🙂").await;
    hears(&mut ann, said("bob", "<b>hi</b> yourself 🙂")).await;
    hears(&mut bob, said("bob", "<b>hi</b> yourself 🙂")).await;

    bob.leave().await;
    hears(&mut ann, about("left", "bob")).await;
}

#[tokio::test]
async fn a_newcomer_learns_who_is_here() {
    let host = TestHost::with(&["chat"]).await;
    let _ann = host.connect("/chat/yard?name=ann").await;
    let mut bob = host.connect("/chat/yard?name=bob").await;
    hears(&mut bob, about("here", "ann")).await;
    let mut cat = host.connect("/chat/yard?name=cat").await;
    let mut here = [cat.expect_json().await, cat.expect_json().await];
    here.sort_by_key(ToString::to_string);
    assert_eq!(here, [about("here", "ann"), about("here", "bob")]);
}

#[tokio::test]
async fn rooms_do_not_hear_each_other() {
    let host = TestHost::with(&["chat"]).await;
    let mut ann = host.connect("/chat/yard?name=ann").await;
    let mut eve = host.connect("/chat/street?name=eve").await;
    say(&mut ann, "in the yard").await;
    hears(&mut ann, said("ann", "in the yard")).await;
    say(&mut eve, "in the street").await;
    hears(&mut eve, said("eve", "in the street")).await;
    eve.leave().await;
    say(&mut ann, "still alone").await;
    hears(&mut ann, said("ann", "still alone")).await;
}

#[tokio::test]
async fn who_goes_without_a_word_is_said_to_have_left() {
    let host = TestHost::with(&["chat"]).await;
    let mut ann = host.connect("/chat/yard?name=ann").await;
    let bob = host.connect("/chat/yard?name=bob").await;
    hears(&mut ann, about("joined", "bob")).await;
    drop(bob);
    hears(&mut ann, about("left", "bob")).await;
}

#[tokio::test]
async fn names_and_rooms_are_decoded() {
    let host = TestHost::with(&["chat"]).await;
    let mut ann = host.connect("/chat/la%20cour?name=Zo%C3%AB+A").await;
    let _bob = host.connect("/chat/la%20cour?name=bob").await;
    hears(&mut ann, about("joined", "bob")).await;
    say(&mut ann, "hi").await;
    hears(&mut ann, said("Zoë A", "hi")).await;
}

#[tokio::test]
async fn who_has_no_name_is_turned_away() {
    let host = TestHost::with(&["chat"]).await;
    let long = format!("/chat/yard?name={}", "x".repeat(25));
    for path in ["/chat/yard", "/chat/yard?name=", "/chat/yard?name=%20", "/chat/yard?name=a%00b", &long] {
        let answer = host.knock(path).refused(400).await;
        assert!(answer.text().contains("name"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn nobody_speaks_in_anothers_name() {
    let host = TestHost::with(&["chat"]).await;
    let mut ann = host.connect("/chat/yard?name=ann").await;
    let mut bob = host.connect("/chat/yard?name=bob").await;
    hears(&mut ann, about("joined", "bob")).await;
    hears(&mut bob, about("here", "ann")).await;
    bob.say(r#"{"event":"said","room":"yard","name":"ann","text":"forged"}"#).await;
    bob.say(r#"{"event":"say"}"#).await;
    say(&mut bob, "honest").await;
    hears(&mut ann, said("bob", "honest")).await;
    host.counts("misfits", |counted| counted.misfits == 2).await;
}

#[tokio::test]
async fn the_page_needs_nothing_else_and_inserts_text_as_text() {
    let page = include_str!("../../../examples/chat/public/index.html");
    let host = TestHost::serving(&["chat"]).public(&[("index.html", page)]).start().await;
    let answer = host.ask("GET", "/").get().await;
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert_eq!(answer.text(), page);
    for outside in
        ["http://", "https://", "src=", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"]
    {
        assert!(!page.contains(outside), "the page has `{outside}`");
    }
    // Served by the same host, it may connect: the origin is the host's own.
    let own = format!("http://{}", host.address);
    host.knock("/chat/yard?name=ann").origin(&own).open().await.leave().await;
}

#[tokio::test]
async fn an_empty_text_is_not_said() {
    let host = TestHost::with(&["chat"]).await;
    let mut ann = host.connect("/chat/yard?name=ann").await;
    say(&mut ann, " \n").await;
    assert_eq!(ann.expect_json().await["event"], "refused");
}
