//! Bodies of plain requests and answers that stall, break off or are asked for politely, through a guest.

use crate::harness::host::TestHost;
use crate::harness::wait::within;
use std::time::Duration;

/// Hosts whose guests may wait for so long only.
const CALL_TIME: Duration = Duration::from_millis(300);

/// A host of a stock guest whose streams stand still for so long only.
async fn streaming() -> TestHost {
    TestHost::serving(&["plain-http"]).config(|config| config.guest.stream_timeout = CALL_TIME).start().await
}

#[tokio::test]
async fn a_body_that_never_comes_ends_at_call_time() {
    let host = TestHost::serving(&["probe"]).config(|config| config.guest.call_time = CALL_TIME).start().await;
    let mut exchange = host.ask("POST", "/probe/multicast").header("content-length", "10").begin().await;
    exchange.write("half").await;
    assert_eq!(exchange.head().await.status, 408);
    host.counts("it is counted", |counted| counted.bodies_too_slow == 1).await;
    assert_eq!(host.counted().time_exceeded, 0, "it is not the guest's fault");
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_nobody() {
    let host = TestHost::serving(&["probe"]).start().await;
    let mut client = host.connect("/probe/x").await;
    let mut exchange = host.ask("POST", "/probe/multicast").header("content-length", "10").begin().await;
    exchange.write("half").await;
    drop(exchange);
    assert_eq!(host.ask("POST", "/probe/multicast").body("whole").get().await.text(), "ok");
    client.expect("told whole").await;
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_cut_off() {
    let host = TestHost::serving(&["plain-http", "echo"])
        .config(|config| {
            config.guest.stream_timeout = CALL_TIME;
            // The guest's limit comes well before the client's.
            (config.ping_interval, config.idle_timeout) = (CALL_TIME, CALL_TIME * 5);
        })
        .start()
        .await;
    let mut exchange = host.ask("POST", "/plain-http").header("transfer-encoding", "chunked").begin().await;
    let chunk = "x".repeat(64 * 1024);
    // It is echoed until every buffer on the way back is full, and then this side is not read from either.
    let writing = async { while exchange.try_write_chunk(&chunk).await.is_ok() {} };
    tokio::join!(
        host.counts("the client is to blame", |counted| counted.answers_unread == 1),
        within("the host hangs up", writing),
    );
    assert_eq!(host.counted().time_exceeded, 0, "and not the guest");
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn a_slow_body_that_moves_is_no_reason_to_give_up() {
    let host = streaming().await;
    let mut exchange = host.ask("POST", "/plain-http").header("transfer-encoding", "chunked").begin().await;
    exchange.write_chunk("piece").await;
    assert_eq!(exchange.head().await.status, 200);
    let mut pulse = tokio::time::interval(CALL_TIME / 3);
    for _ in 0..6 {
        assert_eq!(exchange.chunk().await.as_deref(), Some(&b"piece"[..]));
        pulse.tick().await;
        exchange.write_chunk("piece").await;
    }
    assert_eq!(host.counted().time_exceeded, 0);
}

#[tokio::test]
async fn half_an_answer_does_not_pass_for_a_whole_one() {
    let host = streaming().await;
    let mut exchange = host.ask("POST", "/plain-http").header("transfer-encoding", "chunked").begin().await;
    exchange.write_chunk("piece").await;
    assert_eq!(exchange.head().await.status, 200);
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"piece"[..]));
    // Nothing more is sent, and the guest is ended while it waits. An empty chunk would say that this was all.
    exchange.expect_end().await;
    host.counts("it is the client's fault", |counted| counted.bodies_too_slow == 1).await;
    assert_eq!(host.counted().time_exceeded, 0);
}

#[tokio::test]
async fn a_client_may_ask_before_it_sends_its_body() {
    let host = TestHost::with(&["probe"]).await;
    let ask = host.ask("POST", "/probe/x").header("content-length", "4").header("expect", "100-continue");
    let mut exchange = ask.begin().await;
    assert_eq!(exchange.head().await.status, 100);
    exchange.write("body").await;
    let head = exchange.head().await;
    assert_eq!(exchange.body(head).await.json()["body"], "body");
}

#[tokio::test]
async fn an_answer_under_way_is_finished_while_the_server_stops() {
    let mut host = TestHost::with(&["plain-http"]).await;
    let mut exchange = host.ask("GET", "/plain-http").begin().await;
    assert_eq!(exchange.head().await.status, 200);
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"1\n"[..]));
    host.begin_stop();
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"2\n"[..]));
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"3\n"[..]));
    assert_eq!(exchange.chunk().await, None);
    host.stopped().await;
}

#[tokio::test]
async fn an_answer_that_has_begun_has_time_of_its_own() {
    // The guest's pauses are longer than a call may take, as between two heartbeats of a stream of events.
    let times = |config: &mut lakou_host::Config| config.guest.call_time = Duration::from_millis(20);
    let host = TestHost::serving(&["plain-http"]).config(times).start().await;
    let mut exchange = host.ask("GET", "/plain-http").begin().await;
    assert_eq!(exchange.head().await.status, 200);
    for piece in ["1\n", "2\n", "3\n"] {
        assert_eq!(exchange.chunk().await.as_deref(), Some(piece.as_bytes()));
    }
    assert_eq!(exchange.chunk().await, None);
    assert_eq!(host.counted().time_exceeded, 0);

    let silent = |config: &mut lakou_host::Config| config.guest.stream_timeout = Duration::from_millis(20);
    let host = TestHost::serving(&["plain-http"]).config(silent).start().await;
    let mut client = host.dial().await;
    client.write("GET /plain-http HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = client.expect_end().await;
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && !answer.ends_with(b"0\r\n\r\n"), "{answer:?}");
    host.counts("its own limit", |counted| {
        counted.limits.values().any(|limits| limits.get("stream-timeout") == Some(&1))
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_its_own_time_and_is_no_alarm() {
    let times = |config: &mut lakou_host::Config| {
        (config.handshake_timeout, config.keep_alive_timeout) = (CALL_TIME, CALL_TIME * 4);
    };
    let host = TestHost::serving(&["probe"]).config(times).start().await;
    let mut exchange = host.ask("GET", "/probe/x").begin().await;
    let head = exchange.head().await;
    exchange.body(head).await;
    let begun = std::time::Instant::now();
    exchange.expect_end().await;
    assert!(begun.elapsed() > CALL_TIME * 3, "after {:?}", begun.elapsed());
    assert_eq!(host.counted().handshakes_too_slow, 0, "nothing that a client did wrong");
}

#[tokio::test]
async fn a_second_head_that_has_begun_is_held_to_the_time_of_a_head() {
    let host = TestHost::serving(&["probe"]).config(|config| config.handshake_timeout = CALL_TIME).start().await;
    let mut exchange = host.ask("GET", "/probe/x").begin().await;
    let head = exchange.head().await;
    exchange.body(head).await;
    exchange.write("GET /probe/x HTT").await;
    exchange.expect_end().await;
    host.counts("a head that did not come", |counted| counted.handshakes_too_slow == 1).await;
}
