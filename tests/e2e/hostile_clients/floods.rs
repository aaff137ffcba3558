//! Clients that send too much of what is allowed, or never read.

use super::{SHORT, host};
use crate::harness::frames::{CONTINUATION, Frame, PING, PONG, TEXT};
use crate::harness::logs;
use crate::harness::raw::handshake;
use crate::harness::siege::Siege;
use crate::harness::wait::{eventually, within};
use lakou_host::Snapshot;

/// A thread that writes `bytes` over and over on a WebSocket; the host must slow it down.
async fn slowed(bytes: Vec<u8>) -> Siege {
    // The bystander stays below the rate.
    let rate = |config: &mut lakou_host::Config| (config.max_messages_per_second, config.message_burst) = (2_000, 500);
    let siege = Siege::of(host().config(rate)).await;
    let attack = async {
        let client = siege.raw("/echo").await;
        let flood = client.flood(bytes);
        siege.host.counts("it is slowed down", |counted| counted.clients_slowed >= 3).await;
        flood
    };
    // It goes on until the host ends.
    let _flood = siege.attack(attack).await;
    siege.met("max-messages-per-second", |counted| counted.clients_slowed).await;
    siege
}

#[tokio::test]
async fn a_flood_of_messages() {
    let siege = slowed(Frame::new(TEXT, "").bytes().repeat(1_000)).await;
    assert_eq!(siege.host.counted().connections, 2, "slow is not closed");
}

#[tokio::test]
async fn a_flood_of_pings() {
    slowed(Frame::new(PING, "").bytes().repeat(1_000)).await;
}

#[tokio::test]
async fn a_flood_of_pongs() {
    slowed(Frame::new(PONG, "").bytes().repeat(1_000)).await;
}

/// Sends empty fragments, with pings in between, until it is closed.
async fn pads(pings: bool) {
    let siege = Siege::of(host().config(|config| config.max_message = 64 * 1024)).await;
    let attack = async {
        let mut client = siege.raw("/echo").await;
        client.send(Frame::new(TEXT, "").unfinished()).await;
        let mut bytes = Frame::new(CONTINUATION, "").unfinished().bytes().repeat(1_000);
        if pings {
            bytes.extend(Frame::new(PING, "").bytes());
        }
        let mut written = 0;
        while siege.host.counted().messages_too_large == 0 {
            // The host may have hung up meanwhile.
            let _ = client.try_write(&bytes).await;
            written += bytes.len();
            assert!(written < 64 << 20, "{written} bytes of nothing are taken");
        }
        client.expect_end().await;
    };
    siege.attack(attack).await;
    siege.met("max-message", |counted| counted.messages_too_large).await;
}

#[tokio::test]
async fn a_flood_of_empty_fragments() {
    pads(false).await;
}

#[tokio::test]
async fn a_flood_of_empty_fragments_between_pings() {
    pads(true).await;
}

#[tokio::test]
async fn fragments_of_a_single_byte_are_no_flood() {
    const LENGTH: usize = 64 * 1024;
    let siege = Siege::of(host().config(|config| config.max_message = LENGTH)).await;
    let mut client = siege.raw("/echo").await;
    let more = Frame::new(CONTINUATION, "x").unfinished().bytes();
    for _ in 0..3 {
        client.send(Frame::new(TEXT, "x").unfinished()).await;
        client.write(&more.repeat(LENGTH - 2)).await;
        client.send(Frame::new(CONTINUATION, "x")).await;
        client.expect(TEXT, "x".repeat(LENGTH)).await;
    }
}

#[tokio::test]
async fn a_flood_of_handshakes() {
    let rate = |config: &mut lakou_host::Config| (config.max_handshakes_per_second, config.handshake_burst) = (1, 5);
    let siege = Siege::of(host().config(rate)).await;
    let attack = async {
        let mut refused = 0;
        for _ in 0..50 {
            let mut client = siege.dial().await;
            client.write(handshake("/echo", "")).await;
            let head = client.head().await;
            if head.starts_with("HTTP/1.1 429 ") {
                assert!(head.contains("retry-after: 1\r\n"), "{head}");
                refused += 1;
            } else {
                assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            }
        }
        assert!(refused >= 10, "only {refused} of 50 are refused");
        refused
    };
    let refused = siege.attack(attack).await;
    siege.met("max-handshakes-per-second", |counted| counted.handshakes_limited).await;
    assert_eq!(siege.host.counted().handshakes_limited, refused);
}

/// Opens connections until one is turned away, and expects to be told so.
async fn full(siege: &Siege, limit: &str, counter: impl Fn(&Snapshot) -> u64) {
    let attack = async {
        let mut all = Vec::new();
        for _ in 0..9 {
            all.push(siege.raw("/echo").await);
        }
        for _ in 0..300 {
            let answer = siege.is_answered("GET /echo HTTP/1.1\r\nhost: x\r\n\r\n", 503).await;
            assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
        }
        drop(all);
        // Places come back.
        within("a place", async { while !is_let_in(siege).await {} }).await;
    };
    siege.attack(attack).await;
    siege.met(limit, counter).await;
}

async fn is_let_in(siege: &Siege) -> bool {
    let mut client = siege.dial().await;
    client.write(handshake("/echo", "")).await;
    client.head().await.starts_with("HTTP/1.1 101 ")
}

#[tokio::test]
async fn a_flood_of_connections() {
    let ten = |config: &mut lakou_host::Config| {
        config.max_connections = 10;
        // Its share alone would be half of them.
        config.guest.connections = Some(10);
    };
    let siege = Siege::of(host().config(ten)).await;
    full(&siege, "max-connections", |counted| counted.over_capacity).await;
    assert!(siege.host.counted().over_capacity >= 300);
}

#[tokio::test]
async fn a_flood_of_connections_from_one_address() {
    let siege = Siege::of(host().config(|config| config.max_connections_per_address = 9)).await;
    full(&siege, "max-connections-per-address", |counted| counted.over_address_capacity).await;
    assert!(siege.host.counted().over_address_capacity >= 300);
}

#[tokio::test]
async fn a_thousand_connections_at_once_over_the_limit() {
    let siege = Siege::of(host().config(|config| config.max_connections_per_address = 9)).await;
    let attack = async {
        let mut all = Vec::new();
        for _ in 0..1_000 {
            all.push(siege.dial().await);
        }
        siege.host.counts("all others are turned away", |counted| counted.over_address_capacity == 991).await;
    };
    siege.attack(attack).await;
    siege.met("max-connections-per-address", |counted| counted.over_address_capacity).await;
    // Nobody has been forgotten by the one who accepts.
    siege.host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn a_pipeline_of_requests_whose_answers_are_not_read() {
    let patience = |config: &mut lakou_host::Config| (config.ping_interval, config.idle_timeout) = (SHORT / 2, SHORT);
    let siege = Siege::of(host().config(patience)).await;
    let attack = async {
        let request = b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
        let flood = siege.dial().await.flood(request);
        eventually("the host hangs up", || flood.is_finished()).await;
    };
    siege.attack(attack).await;
    siege.met("idle-timeout", |counted| counted.answers_unread).await;
}

#[tokio::test]
async fn a_client_that_sends_and_never_reads() {
    let siege = Siege::of(host().outbox(256 * 1024)).await;
    let attack = async {
        let mut deaf = siege.raw("/echo").await;
        deaf.stuff(&Frame::new(TEXT, vec![b'x'; 16 * 1024]).bytes());
        deaf
    };
    let deaf = siege.attack(attack).await;
    drop(deaf);
    siege.host.counts("it is gone", |counted| counted.connections == 1).await;
}

#[tokio::test]
async fn a_client_that_never_reads_what_others_say() {
    let siege = Siege::of(host().outbox(256 * 1024)).await;
    let attack = async {
        let mut deaf = siege.raw("/probe/x").await;
        let mut sender = siege.host.connect("/probe/x").await;
        while siege.host.counted().slow_clients == 0 {
            sender.say("large 60000").await;
            while sender.hear_text().await != "ok" {}
        }
        deaf.expect_end().await;
    };
    siege.attack(attack).await;
    siege.host.counts("of the controller", |counted| counted.limits["probe"]["outbox"] == 1).await;
    logs::expect(&["controller probe: limit `outbox`: over 262144 bytes"]).await;
}

#[tokio::test]
async fn sockets_that_are_half_closed() {
    let siege = Siege::of(host()).await;
    let attack = async {
        for _ in 0..100 {
            let mut client = siege.raw("/echo").await;
            client.finish().await;
            client.expect_end().await;
        }
    };
    siege.attack(attack).await;
    siege.host.counts("they are gone", |counted| counted.connections == 1).await;
}

#[tokio::test]
async fn bombs_of_json() {
    let siege = Siege::of(host()).await;
    let bombs = [
        format!(r#"{{"event":"hail","name":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        format!(r#"{{"event":"hail","name":{}"x"{}}}"#, r#"{"a":"#.repeat(50_000), "}".repeat(50_000)),
        format!(r#"{{"event":"hail","name":[{}0]}}"#, "0,".repeat(200_000)),
        format!(r#"{{"event":"hail",{}"name":7}}"#, (0..50_000).map(|n| format!("\"k{n}\":0,")).collect::<String>()),
        format!(r#"{{"event":"hail","name":"bob","times":{}}}"#, "9".repeat(200_000)),
        format!(r#"{{"event":"bomb{}"}}"#, "x".repeat(500_000)),
    ];
    let attack = async {
        let mut client = siege.raw("/probe/x").await;
        for bomb in &bombs {
            client.send(Frame::new(TEXT, bomb)).await;
        }
        client.send(Frame::new(TEXT, "echo still here")).await;
        // Those that are no call are messages, which the guest answers in its way.
        while client.hear().await.expect("not the end").payload != b"still here" {}
    };
    siege.attack(attack).await;
    let counted = siege.host.counted();
    assert_eq!((counted.traps, counted.cpu_exceeded, counted.time_exceeded), (0, 0, 0), "{counted:?}");
    siege.host.counts("those that do not fit", |counted| counted.misfits >= 1).await;
    logs::expect(&["controller=\"probe\"", "\"bombxxx", "did not fit"]).await;
}
