//! Topics: what is published goes straight to the subscribed clients, whatever their controller, without their guests.

use crate::harness::buses::Bus;
use crate::harness::guests;
use crate::harness::host::{Furnished, TestHost};

/// A host for each bus.
async fn hosts() -> [Furnished; 2] {
    let host = || TestHost::serving(&["probe"]).file("spare.wasm", guests::renamed("probe", "spare"));
    Bus::all().await.map(|bus| bus.furnish(host()))
}

#[tokio::test]
async fn a_publication_reaches_the_subscribers_of_all_controllers() {
    for host in hosts().await {
        let host = host.start().await;
        let mut a = host.connect("/probe/x?topic=news").await;
        let mut b = host.connect("/spare/x?topic=news").await;
        let mut c = host.connect("/probe/x?topic=other").await;
        let mut publisher = host.connect("/probe/x").await;
        for client in [&mut a, &mut b, &mut c] {
            client.exchange("echo subscribed", "subscribed").await;
        }
        publisher.exchange("publish news hello", "ok").await;
        a.expect("hello").await;
        b.expect("hello").await;
        publisher.exchange("publish-bytes news hello", "ok").await;
        a.expect_bytes(b"hello").await;
        b.expect_bytes(b"hello").await;
        c.exchange("echo silence", "silence").await;
        host.counts("published", |counted| counted.published == 2).await;
    }
}

#[tokio::test]
async fn a_publisher_that_is_subscribed_hears_itself_once() {
    for host in hosts().await {
        let host = host.start().await;
        let mut client = host.connect("/probe/x?topic=news").await;
        client.exchange("subscribe news", "ok").await;
        client.say("publish news hello").await;
        let mut heard = [client.hear_text().await, client.hear_text().await];
        heard.sort();
        assert_eq!(heard, ["hello", "ok"]);
        client.exchange("echo silence", "silence").await;
    }
}

#[tokio::test]
async fn a_publication_does_not_enter_the_guest() {
    for host in hosts().await {
        let host = host.start().await;
        let mut subscriber = host.connect("/spare/x?topic=news").await;
        let mut publisher = host.connect("/probe/x").await;
        subscriber.say("calls").await;
        let before: u64 = subscriber.hear_text().await.parse().expect("a number");
        for _ in 0..10 {
            publisher.exchange("publish news hello", "ok").await;
            subscriber.expect("hello").await;
        }
        subscriber.exchange("calls", &(before + 1).to_string()).await;
    }
}

#[tokio::test]
async fn from_http_too() {
    for host in hosts().await {
        let host = host.start().await;
        let mut subscriber = host.connect("/spare/x?topic=news").await;
        subscriber.exchange("echo subscribed", "subscribed").await;
        assert_eq!(host.ask("POST", "/probe/publish").body("extra").get().await.text(), "ok");
        subscriber.expect("extra").await;
    }
}

#[tokio::test]
async fn an_unsubscribed_client_hears_nothing_more() {
    for host in hosts().await {
        let host = host.start().await;
        let mut client = host.connect("/probe/x?topic=news").await;
        client.exchange("unsubscribe news", "ok").await;
        client.exchange("unsubscribe never-subscribed", "ok").await;
        client.exchange("publish news hello", "ok").await;
        client.exchange("echo silence", "silence").await;
    }
}

#[tokio::test]
async fn publications_of_one_sender_stay_in_order() {
    for host in hosts().await {
        let host = host.start().await;
        let mut subscriber = host.connect("/spare/x?topic=news").await;
        subscriber.exchange("echo subscribed", "subscribed").await;
        let mut publisher = host.connect("/probe/x").await;
        publisher.say_all((0..2_000).map(|number| format!("publish news {number}"))).await;
        for number in 0..2_000 {
            subscriber.expect(&number.to_string()).await;
        }
    }
}

#[tokio::test]
async fn what_is_no_topic_is_a_fault() {
    for host in hosts().await {
        let host = host.start().await;
        let mut client = host.connect("/probe/x").await;
        let long = "x".repeat(257);
        for command in ["subscribe ", &format!("subscribe {long}"), "publish  x", &format!("publish {long} x")] {
            client.say(command).await;
            let answer = client.hear_text().await;
            assert!(answer.starts_with("invalid: "), "{command}: {answer}");
        }
        client.exchange(&format!("subscribe {}", &long[1..]), "ok").await;
    }
}

#[tokio::test]
async fn there_are_no_patterns_of_topics() {
    for host in hosts().await {
        let host = host.start().await;
        let mut client = host.connect("/probe/x?topic=news/local").await;
        for command in ["subscribe news/*", "subscribe *", "publish news/* hello", "publish-bytes * hello"] {
            client.say(command).await;
            client.expect_start("invalid: a topic has no `*`").await;
        }
        // No subscription has such a name: nothing happens.
        client.exchange("unsubscribe news/*", "ok").await;
        client.say("publish news/local hello").await;
        let mut heard = [client.hear_text().await, client.hear_text().await];
        heard.sort();
        assert_eq!(heard, ["hello", "ok"]);
        assert_eq!(host.counted().published, 1);
    }
}

#[tokio::test]
async fn a_client_has_so_many_topics_and_no_more() {
    for host in hosts().await {
        let host = host.config(|config| config.max_topics = 2).start().await;
        let mut client = host.connect("/probe/x").await;
        client.exchange("subscribe one", "ok").await;
        client.exchange("subscribe two", "ok").await;
        client.exchange("subscribe two", "ok").await;
        client.say("subscribe three").await;
        let answer = client.hear_text().await;
        assert!(answer.starts_with("unavailable: "), "{answer}");
        client.exchange("unsubscribe one", "ok").await;
        client.exchange("subscribe three", "ok").await;
    }
}

#[tokio::test]
async fn a_publication_over_the_limit_of_a_message_is_a_fault() {
    for host in hosts().await {
        let host = host.outbox(1024).start().await;
        let mut client = host.connect("/probe/x?topic=t").await;
        // A command of 1,023 bytes publishes less than that; the probe's HTTP takes a larger body.
        assert_eq!(host.ask("POST", "/probe/publish").body("x".repeat(1025)).get().await.text(), "too large");
        client.exchange("echo silence", "silence").await;
    }
}
