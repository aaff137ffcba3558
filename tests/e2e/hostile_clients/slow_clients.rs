//! Clients that hold on without using the protocol: slow, silent, deaf, or gone without a word.

use crate::harness::frames::{Frame, PING, PONG, TEXT};
use crate::harness::host::TestHost;
use crate::harness::raw::handshake;
use crate::harness::wait::within;
use crate::harness::ws::WsClient;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_slow_handshake_is_cut() {
    let host = TestHost::serving(&["echo"]).config(|config| config.handshake_timeout = SHORT).start().await;
    let begun = Instant::now();
    let mut client = host.dial().await;
    let mut pulse = tokio::time::interval(SHORT / 20);
    within("the host to cut it off", async {
        for byte in handshake("/echo", "x-endless: field\r\n").bytes().cycle() {
            pulse.tick().await;
            if client.try_write([byte]).await.is_err() {
                break;
            }
        }
    })
    .await;
    assert!(begun.elapsed() >= SHORT, "not before its time: {:?}", begun.elapsed());
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn who_never_begins_is_cut() {
    let host = TestHost::serving(&["echo"]).config(|config| config.handshake_timeout = SHORT).start().await;
    let mut client = host.dial().await;
    let heard = client.expect_end().await;
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 408 "), "{heard}");
}

#[tokio::test]
async fn who_leaves_before_the_handshake_leaves_nothing() {
    let host = TestHost::with(&["echo"]).await;
    for part in ["", "GET", &handshake("/echo", "")[..60]] {
        let mut client = host.dial().await;
        client.write(part).await;
        drop(client);
        let mut client = host.dial().await;
        client.write(part).await;
        client.finish().await;
        client.expect_end().await;
    }
    host.connect("/echo").await.exchange("hi", "hi").await;
    host.counts("connections opened", |counted| counted.connections_opened == 1).await;
}

#[tokio::test]
async fn thousands_that_say_nothing_take_nothing_from_the_others() {
    let host = TestHost::with(&["probe", "echo"]).await;
    let mut silent = Vec::new();
    for _ in 0..2_000 {
        silent.push(host.raw("/echo").await);
    }
    let mut dialled = Vec::new();
    for _ in 0..500 {
        dialled.push(host.dial().await);
    }
    host.counts("all are there", |counted| counted.connections == 2_000).await;
    let mut client = host.connect("/probe/x").await;
    let begun = Instant::now();
    for _ in 0..100 {
        client.exchange("echo hi", "hi").await;
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "100 exchanges took {:?}", begun.elapsed());
    drop((silent, dialled));
    host.counts("all have gone", |counted| counted.connections == 1).await;
    host.counts("their instances too", |counted| counted.instances == 1).await;
}

/// What `client` hears, but for the news that a slow one has left, which come at any time.
async fn hears(client: &mut WsClient, told: &mut bool) -> String {
    let heard = client.hear_text().await;
    if !heard.starts_with("told left 3008 ") {
        return heard;
    }
    *told = true;
    client.hear_text().await
}

#[tokio::test]
async fn who_never_reads_is_closed_and_the_others_of_its_room_are_not() {
    let host = TestHost::serving(&["probe"]).outbox(256 * 1024).start().await;
    let mut deaf = host.raw("/probe/x").await;
    let mut sender = host.connect("/probe/x").await;
    let mut listener = host.connect("/probe/x").await;
    // The kernel's buffers take some megabytes before the outbox fills.
    let mut rounds = 0;
    let (mut sender_told, mut listener_told) = (false, false);
    while !(sender_told && listener_told) {
        sender.say("large 60000").await;
        assert_eq!(hears(&mut sender, &mut sender_told).await, "ok");
        assert_eq!(hears(&mut listener, &mut listener_told).await.len(), "told ".len() + 60_000);
        rounds += 1;
        assert!(rounds < 2_000, "100 MB are not read, and nobody minds");
    }
    host.counts("the deaf one is gone", |counted| counted.connections == 2).await;
    sender.exchange("broadcast after", "ok").await;
    listener.expect("told after").await;
    host.counts("slow clients", |counted| counted.slow_clients == 1).await;
    deaf.expect_end().await;
}

#[tokio::test]
async fn who_never_reads_a_topic_is_closed_too() {
    let host = TestHost::serving(&["probe"]).outbox(256 * 1024).start().await;
    let _deaf = host.raw("/probe/x?topic=news").await;
    let mut listener = host.connect("/probe/x?topic=news").await;
    let body = "x".repeat(60_000);
    let mut rounds = 0;
    let farewell = loop {
        assert_eq!(host.ask("POST", "/probe/publish").body(&body).get().await.text(), "ok");
        // Its news come between two publications.
        match listener.hear_text().await {
            heard if heard == body => rounds += 1,
            other => break other,
        }
        assert!(rounds < 2_000, "100 MB are not read, and nobody minds");
    };
    assert!(farewell.starts_with("told left 3008 "), "{farewell:.80}");
    host.counts("slow clients", |counted| counted.slow_clients == 1).await;
}

#[tokio::test]
async fn who_writes_and_never_reads_stops_being_read() {
    let host = TestHost::serving(&["echo"]).outbox(256 * 1024).start().await;
    let mut bystander = host.connect("/echo").await;
    let mut client = host.raw("/echo").await;
    client.stuff(&Frame::new(TEXT, vec![b'x'; 16 * 1024]).bytes());
    bystander.exchange("hi", "hi").await;
    let before = host.counted();
    assert!(before.messages_in < 10_000, "{before:?}");
    drop(client);
    host.counts("it is gone", |counted| counted.connections == 1).await;
}

#[tokio::test]
async fn who_pings_without_end_gets_no_queue_of_pongs() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.raw("/echo").await;
    let pings = Frame::new(PING, [b'x'; 125]).bytes().repeat(1_000);
    for _ in 0..50 {
        client.write(&pings).await;
    }
    host.connect("/echo").await.exchange("hi", "hi").await;
    client.send(Frame::new(TEXT, "after all that")).await;
    let heard = loop {
        let heard = client.hear().await.expect("not the end");
        if heard.opcode != PONG {
            break heard;
        }
    };
    assert_eq!(heard.payload, b"after all that");
}

#[tokio::test]
async fn who_goes_without_a_word_is_told_as_1006() {
    let host = TestHost::with(&["probe"]).await;
    let mut sibling = host.connect("/probe/x").await;

    drop(host.raw("/probe/x").await);
    sibling.expect_start("told left 1006 ").await;

    let mut half_closed = host.raw("/probe/x").await;
    half_closed.finish().await;
    sibling.expect_start("told left 1006 ").await;
    half_closed.expect_end().await;

    let mut reset = host.raw("/probe/x").await;
    let whole = Frame::new(TEXT, vec![b'x'; 4096]).bytes();
    reset.write(&whole[..2048]).await;
    reset.reset();
    sibling.expect_start("told left 1006 ").await;

    host.counts("one is left", |counted| counted.connections == 1).await;
}

#[tokio::test]
async fn who_stops_in_the_middle_of_a_frame_holds_up_nobody() {
    let host = TestHost::with(&["echo"]).await;
    let mut stuck = host.raw("/echo").await;
    stuck.write(&Frame::new(TEXT, "hello").bytes()[..4]).await;
    host.connect("/echo").await.exchange("hi", "hi").await;
    stuck.write(&Frame::new(TEXT, "hello").bytes()[4..]).await;
    stuck.expect(TEXT, "hello").await;
}
