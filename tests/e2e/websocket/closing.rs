//! The host closes, and the client does not make it easy: it goes on talking, or has to wait for its turn.

use crate::harness::frames::{BINARY, CLOSE, Frame, PONG, TEXT, closing};
use crate::harness::host::TestHost;
use crate::harness::wait::eventually;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn who_is_drained_has_time_to_answer() {
    let mut host = TestHost::serving(&["probe"])
        .config(|config| (config.drain_time, config.close_timeout) = (SHORT, Duration::from_secs(3)))
        .start()
        .await;
    let mut client = host.raw("/probe/x").await;
    client.send(Frame::new(TEXT, "echo in")).await;
    client.expect(TEXT, "in").await;
    host.begin_stop();
    client.expect(TEXT, "farewell").await;
    client.expect(CLOSE, closing(1001, "the server is stopping")).await;
    // It is in the middle of something, and for longer than the drain takes.
    let mut pulse = tokio::time::interval(SHORT / 8);
    for number in 0..16 {
        pulse.tick().await;
        client.send(Frame::new(TEXT, format!("echo {number}"))).await;
    }
    assert_eq!(host.counted().connections, 1, "its answer is waited for");
    client.send(Frame::new(CLOSE, closing(1001, ""))).await;
    assert!(client.expect_clean_end().await.is_empty(), "what it said after the close was not heard");
    host.stopped().await;
    assert_eq!(host.counted().connections, 0);
}

/// Expects a client that sends `flood` without end to be gone soon after it is closed.
async fn cannot_outlast_its_close(flood: Vec<u8>) {
    let host = TestHost::serving(&["probe"])
        .config(|config| {
            config.close_timeout = SHORT;
            // As slow a reader as can be, so that the queue never runs empty.
            config.read_buffer = 512;
        })
        .start()
        .await;
    let mut sibling = host.connect("/probe/x").await;
    // Whether the queue runs empty is up to the systems' schedulers; once would prove little.
    for _ in 0..5 {
        let mut client = host.raw("/probe/x").await;
        // The system makes its buffers large for who sends much.
        client.write(Frame::new(PONG, [0; 125]).bytes().repeat(100_000)).await;
        client.send(Frame::new(TEXT, "close 4000 go")).await;
        let flooding = client.flood(flood.clone());
        sibling.expect("told left 4000 go").await;
        eventually("the flood ends", || flooding.is_finished()).await;
        host.counts("its place is free", |counted| counted.connections == 1).await;
    }
}

#[tokio::test]
async fn who_floods_with_pongs_cannot_outlast_its_close() {
    cannot_outlast_its_close(Frame::new(PONG, "").bytes().repeat(1_000_000)).await;
}

#[tokio::test]
async fn who_floods_with_messages_cannot_outlast_its_close() {
    cannot_outlast_its_close(Frame::new(BINARY, vec![0; 64 * 1024]).bytes().repeat(100)).await;
}

#[tokio::test]
async fn slow_farewells_do_not_lengthen_the_drain() {
    const CLIENTS: u32 = 6;
    let mut host = TestHost::serving(&["misbehave"]).config(|config| config.drain_time = SHORT * 3).start().await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = host.connect("/misbehave/nap-in-shutdown").await;
        client.exchange("in", "in").await;
        clients.push(client);
    }
    let begun = Instant::now();
    host.begin_stop();
    // One after the other they nap for three seconds.
    let closing = clients.into_iter().map(|mut client| async move { client.expect_close(1001).await });
    futures_util::future::join_all(closing).await;
    assert!(begun.elapsed() < SHORT * 10, "{:?}", begun.elapsed());
    host.stopped().await;
    assert_eq!((host.counted().connections, host.counted().traps), (0, 0));
}
