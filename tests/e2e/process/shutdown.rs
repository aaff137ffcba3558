//! The end of the server: the signals that mean it, the word that guests may still say, and closes that are spread.

use crate::harness::binary::{Binary, Call, connect};
use crate::harness::host::TestHost;
use crate::harness::raw::{RawClient, handshake};
use crate::harness::wait::eventually;
use crate::harness::ws::WsClient;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

async fn serving(drain_time: &str) -> (Binary, SocketAddr) {
    Call::serve().guests(&["probe", "echo"]).anywhere().args(&["--drain-time", drain_time]).listening().await
}

#[tokio::test]
async fn a_signal_drains_the_server() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut binary, address) = serving("200ms").await;
        let mut probe = connect(address, "/probe/x").await;
        let mut echo = connect(address, "/echo").await;
        binary.signal(signal);
        probe.expect("farewell").await;
        probe.expect_close(1001).await;
        echo.expect_close(1001).await;
        assert_eq!(binary.ended().await.code(), Some(0), "{:?}", binary.stderr());
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let (mut binary, address) = serving("60s").await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = connect(address, "/probe/x").await;
        client.exchange("echo in", "in").await;
        clients.push(client);
    }
    binary.signal(Signal::TERM);
    binary.logs(&["stopping"]).await;
    binary.signal(Signal::TERM);
    let status = binary.ended().await;
    assert!(!status.success(), "it did not drain, and says so: {status}");
}

#[tokio::test]
async fn without_connections_it_ends_at_once() {
    let (mut binary, _) = serving("60s").await;
    let begun = Instant::now();
    binary.signal(Signal::TERM);
    assert_eq!(binary.ended().await.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn closes_are_spread_over_the_drain_time() {
    const CLIENTS: usize = 30;
    let drain_time = Duration::from_secs(1);
    let mut host = TestHost::serving(&["echo"]).config(|config| config.drain_time = drain_time).start().await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(host.connect("/echo").await);
    }
    let begun = Instant::now();
    host.begin_stop();
    let watching: Vec<_> = clients.into_iter().map(|client| tokio::spawn(closed_after(client, begun))).collect();
    let mut times = Vec::new();
    for watch in watching {
        times.push(watch.await.expect("closed with 1001"));
    }
    times.sort();
    let spread = times[CLIENTS - 1] - times[0];
    assert!(spread > drain_time / 4, "all within {spread:?}");
    assert!(times[CLIENTS - 1] < drain_time + Duration::from_secs(1), "{:?}", times[CLIENTS - 1]);
    host.stopped().await;
}

async fn closed_after(mut client: WsClient, begun: Instant) -> Duration {
    client.expect_close(1001).await;
    begun.elapsed()
}

#[tokio::test]
async fn nobody_new_is_let_in_while_it_drains() {
    let mut host =
        TestHost::serving(&["echo"]).config(|config| config.drain_time = Duration::from_secs(2)).start().await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(host.connect("/echo").await);
    }
    let address = host.address;
    host.begin_stop();
    // The listener closes a moment after the signal; from then on nobody is accepted.
    eventually("new connections are refused", || std::net::TcpStream::connect(address).is_err()).await;
    for mut client in clients {
        client.expect_close(1001).await;
    }
    host.stopped().await;
}

#[tokio::test]
async fn who_comes_while_it_stops_does_not_hold_it_up() {
    let mut host =
        TestHost::serving(&["probe"]).config(|config| config.drain_time = Duration::from_millis(200)).start().await;
    let address = host.address;
    let coming: Vec<_> = (0..4).map(|_| tokio::spawn(come_again_and_again(address))).collect();
    host.counts("they come", |counted| counted.connections_opened > 50).await;
    host.begin_stop();
    host.stopped().await;
    assert_eq!((host.counted().connections, host.counted().instances), (0, 0));
    for one in coming {
        one.await.expect("each sees answers or the end");
    }
}

/// Handshakes one after the other, each left open, until the server takes no more.
async fn come_again_and_again(address: SocketAddr) {
    let mut open = Vec::new();
    while let Ok(stream) = tokio::net::TcpStream::connect(address).await {
        let mut client = RawClient::from(stream);
        if client.try_write(handshake("/probe/x", "")).await.is_err() {
            break;
        }
        open.push(client);
    }
    for mut client in open {
        client.closed().await;
    }
}

#[tokio::test]
async fn who_keeps_a_connection_alive_without_asking_is_not_waited_for() {
    let mut host =
        TestHost::serving(&["probe"]).config(|config| config.drain_time = Duration::from_millis(200)).start().await;
    let mut kept = host.ask("GET", "/probe/x").begin().await;
    let head = kept.head().await;
    kept.body(head).await;
    let _silent = RawClient::dial(host.address).await;
    host.begin_stop();
    host.stopped().await;
}

#[tokio::test]
async fn who_does_not_answer_the_close_is_not_waited_for_long() {
    let mut host = TestHost::serving(&["echo"])
        .config(|config| {
            (config.drain_time, config.close_timeout) = (Duration::from_millis(100), Duration::from_millis(200))
        })
        .start()
        .await;
    let _deaf = host.raw("/echo").await;
    host.begin_stop();
    host.stopped().await;
}

#[tokio::test]
async fn a_client_may_go_on_until_it_is_closed() {
    let mut host =
        TestHost::serving(&["probe"]).config(|config| config.drain_time = Duration::from_millis(500)).start().await;
    let mut client = host.connect("/probe/x").await;
    host.begin_stop();
    client.expect("farewell").await;
    client.expect_close(1001).await;
    host.stopped().await;
}
