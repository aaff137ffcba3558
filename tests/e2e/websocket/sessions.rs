//! One open connection: pings that no guest sees, time-outs, closing from either side, limits of what it sends.

use crate::harness::frames::{BINARY, CLOSE, Frame, PING, PONG, TEXT, closing};
use crate::harness::host::TestHost;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const SHORT: Duration = Duration::from_millis(200);

/// The calls that the probe's instance has seen, this question included.
async fn calls(client: &mut crate::harness::ws::WsClient) -> u64 {
    client.say("calls").await;
    client.hear_text().await.parse().expect("a number")
}

#[tokio::test]
async fn a_clients_ping_is_answered_without_the_guest() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    let before = calls(&mut client).await;
    for payload in ["", "are you there", "still there"] {
        client.ping(payload).await;
    }
    assert_eq!(calls(&mut client).await, before + 1, "only the question itself");
}

#[tokio::test]
async fn the_host_pings_without_waking_the_guest() {
    let host = TestHost::serving(&["probe"]).config(|config| config.ping_interval = SHORT / 10).start().await;
    let mut client = host.connect("/probe/x").await;
    let before = calls(&mut client).await;
    for _ in 0..5 {
        client.expect_ping().await;
    }
    assert_eq!(calls(&mut client).await, before + 1, "only the question itself");
}

#[tokio::test]
async fn who_answers_pings_may_be_silent() {
    let host = TestHost::serving(&["probe"])
        .config(|config| (config.ping_interval, config.idle_timeout) = (SHORT / 4, SHORT))
        .start()
        .await;
    let mut client = host.connect("/probe/x").await;
    // Four pings a time-out: it has passed five times.
    for _ in 0..20 {
        client.expect_ping().await;
    }
    client.exchange("echo still here", "still here").await;
}

#[tokio::test]
async fn who_answers_nothing_is_closed() {
    let host = TestHost::serving(&["probe"])
        .config(|config| (config.ping_interval, config.idle_timeout, config.close_timeout) = (SHORT / 4, SHORT, SHORT))
        .start()
        .await;
    let mut sibling = host.connect("/probe/x").await;
    let mut silent = host.raw("/probe/x").await;
    // The sibling answers pings while it listens.
    tokio::join!(silent.expect_end(), sibling.expect_start("told left 1006 "));
    host.counts("the silent one is gone", |counted| counted.connections == 1).await;
    host.counts("idle closed", |counted| counted.idle_closed == 1).await;
}

#[tokio::test]
async fn a_close_of_the_clients_is_answered_and_told() {
    let host = TestHost::with(&["probe"]).await;
    let mut sibling = host.connect("/probe/x").await;
    host.connect("/probe/x").await.close(4001, "bye").await;
    sibling.expect("told left 4001 bye").await;
    host.connect("/probe/x").await.close(1000, "").await;
    sibling.expect("told left 1000 ").await;

    let mut client = host.raw("/probe/x").await;
    client.send(Frame::new(CLOSE, "")).await;
    let answer = client.hear().await.expect("a close frame");
    assert_eq!(answer.opcode, CLOSE);
    client.expect_end().await;
    sibling.expect("told left 1005 ").await;
}

#[tokio::test]
async fn a_close_is_answered_in_kind_and_is_no_violation() {
    let host = TestHost::with(&["probe"]).await;
    let mut sibling = host.connect("/probe/x").await;
    for (code, reason) in [
        (1000, ""),
        (1003, "no bytes"),
        (1011, "grün"),
        (1012, "restart"),
        (1013, "try again later"),
        (1014, ""),
        (1014, "bad gateway"),
        (3000, "unauthorized"),
        (3008, "too slow: the outbox is full"),
        (4999, "mine"),
        // What the host itself says, or its library, when RFC 6455 is broken.
        (1002, "Protocol violation"),
        (1002, "against RFC 6455"),
        (1007, "a text that is no UTF-8"),
        (1009, "too large"),
    ] {
        let mut client = host.raw("/probe/x").await;
        let mut bytes = Frame::new(TEXT, "echo in").bytes();
        let frame = Frame::new(CLOSE, closing(code, reason)).bytes();
        // In two pieces, so that the code comes without the end of the frame.
        let (begin, end) = frame.split_at(frame.len() - 1);
        bytes.extend(begin);
        client.write(bytes).await;
        client.expect(TEXT, "in").await;
        client.write(end).await;
        client.expect(CLOSE, closing(code, reason)).await;
        client.expect_clean_end().await;
        sibling.expect(&format!("told left {code} {reason}")).await;
    }
    let counted = host.counted();
    assert_eq!((counted.protocol_errors, counted.messages_too_large, counted.slow_clients), (0, 0, 0));
}

#[tokio::test]
async fn a_guest_may_say_that_a_client_is_slow() {
    const MESSAGES: usize = 400;
    let host = TestHost::serving(&["probe"])
        .config(|config| {
            // One sandbox, so that the sibling's question comes behind what is asked before.
            config.overrides.entry("probe".into()).or_default().instances = Some(1);
            config.outbox = 64 << 20;
            config.close_timeout = Duration::from_secs(60);
        })
        .start()
        .await;
    let mut sibling = host.connect("/probe/x").await;
    let mut client = host.raw("/probe/x").await;
    // More than the systems' buffers take, so that the close stands behind what the client has not read yet.
    client.send(Frame::new(TEXT, format!("send 60000 {MESSAGES}"))).await;
    client.send(Frame::new(TEXT, "close 3008 too slow: the outbox is full")).await;
    host.counts("both are heard", |counted| counted.messages_in == 2).await;
    sibling.exchange("echo behind them", "behind them").await;
    for number in 0..MESSAGES {
        let heard = client.hear().await.unwrap_or_else(|| panic!("lost from the {number}th on"));
        assert_eq!((heard.opcode, heard.payload.len()), (BINARY, 60_000), "{number}");
    }
    assert_eq!(client.expect_close(3008).await, "too slow: the outbox is full");
    sibling.expect("told left 3008 too slow: the outbox is full").await;
    let counted = host.counted();
    assert_eq!((counted.slow_clients, counted.limits.get("probe")), (0, None));
}

#[tokio::test]
async fn a_close_of_the_guests_is_sent_after_its_messages() {
    let host = TestHost::with(&["probe"]).await;
    let mut sibling = host.connect("/probe/x").await;
    let mut client = host.connect("/probe/x").await;
    client.say("send 10 3").await;
    client.say("close 4005 enough of this").await;
    for _ in 0..3 {
        client.expect_bytes(b"xxxxxxxxxx").await;
    }
    assert_eq!(client.expect_close(4005).await, "enough of this");
    sibling.expect("told left 4005 enough of this").await;
}

#[tokio::test]
async fn a_close_code_that_may_not_be_sent_is_a_fault() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        client.say(&format!("close {code} reason")).await;
        let answer = client.hear_text().await;
        assert!(answer.starts_with("invalid: "), "{code}: {answer}");
    }
    client.say(&format!("close 1000 {}", "x".repeat(124))).await;
    assert!(client.hear_text().await.starts_with("invalid: "));
    client.exchange("echo open", "open").await;
    client.say(&format!("close 1000 {}", "x".repeat(123))).await;
    assert_eq!(client.expect_close(1000).await.len(), 123);
}

#[tokio::test]
async fn who_does_not_answer_a_close_is_cut_off() {
    let host = TestHost::serving(&["probe"]).config(|config| config.close_timeout = SHORT).start().await;
    let mut client = host.raw("/probe/x").await;
    client.send(Frame::new(TEXT, "close 4000 go")).await;
    client.expect(CLOSE, closing(4000, "go")).await;
    // Whatever it says now is not heard, and keeps nothing open.
    client.send(Frame::new(TEXT, "echo too late")).await;
    assert!(client.expect_end().await.is_empty());
    host.counts("nobody is there", |counted| counted.connections == 0).await;
}

#[tokio::test]
async fn messages_come_in_order_and_whole() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    client.say_all((0..5_000).map(|number| format!("echo {number}"))).await;
    for number in 0..5_000 {
        client.expect(&number.to_string()).await;
    }
    let counted = host.counted();
    assert_eq!((counted.messages_in, counted.messages_out), (5_000, 5_000));
}

#[tokio::test]
async fn fragments_are_joined_around_pings() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.raw("/echo").await;
    // "ü" is cut in two: each fragment alone is not UTF-8.
    client.send(Frame::new(TEXT, b"gr\xc3").unfinished()).await;
    client.send(Frame::new(PING, "between")).await;
    client.expect(PONG, "between").await;
    client.send(Frame::new(0, b"\xbc").unfinished()).await;
    client.send(Frame::new(0, b"").unfinished()).await;
    client.send(Frame::new(0, b"n")).await;
    client.expect(TEXT, "grün").await;
    client.send(Frame::new(BINARY, [0xff]).unfinished()).await;
    client.send(Frame::new(0, [0xfe])).await;
    client.expect(BINARY, [0xff, 0xfe]).await;
}

#[tokio::test]
async fn a_message_up_to_the_limit_gets_through() {
    let host = TestHost::serving(&["echo"])
        .config(|config| (config.max_message, config.max_frame) = (1 << 20, 1 << 20))
        .start()
        .await;
    let mut client = host.connect("/echo").await;
    let bytes = vec![7; 1 << 20];
    client.send(Message::binary(bytes.clone())).await;
    client.expect_bytes(&bytes).await;
    client.send(Message::binary(vec![7; (1 << 20) + 1])).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn a_message_that_no_outbox_can_hold_is_a_fault() {
    let host = TestHost::serving(&["probe"]).outbox(64 * 1024).start().await;
    let mut client = host.connect("/probe/x").await;
    // `send` fails, and the handler's fault goes to the log: nothing is sent, nothing is closed.
    client.say("send 65537").await;
    client.exchange("echo next", "next").await;
    assert_eq!(host.counted().slow_clients, 0);
}

#[tokio::test]
async fn connections_share_instances_up_to_the_limit() {
    for (limit, connections, instances) in [(1, 4, 4), (3, 6, 2), (256, 6, 1)] {
        let host =
            TestHost::serving(&["probe"]).config(|config| config.guest.connections_per_instance = limit).start().await;
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(host.connect("/probe/x").await);
        }
        let mut numbers = std::collections::BTreeMap::new();
        for client in &mut clients {
            client.say("instance").await;
            *numbers.entry(client.hear_text().await).or_insert(0) += 1;
        }
        assert!(numbers.len() >= instances, "at most {limit} share one: {numbers:?}");
        assert!(numbers.values().all(|sharing| *sharing <= limit), "at most {limit} share one: {numbers:?}");
        host.counts("instances", |counted| counted.instances == numbers.len() as u64).await;
        for client in clients {
            client.leave().await;
        }
        host.counts("empty instances are dropped", |counted| counted.instances == 0).await;
    }
}
