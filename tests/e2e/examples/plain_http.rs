//! `examples/plain-http`: a stock `wasi:http/proxy` component, streaming both ways.

use crate::harness::host::TestHost;

const PATH: &str = "/plain-http";

#[tokio::test]
async fn an_answer_comes_in_pieces() {
    let host = TestHost::with(&["plain-http"]).await;
    let mut exchange = host.ask("GET", PATH).begin().await;
    let head = exchange.head().await;
    assert_eq!((head.status, head.header("transfer-encoding")), (200, Some("chunked")));
    for number in 1..=3 {
        assert_eq!(exchange.chunk().await.as_deref(), Some(format!("{number}\n").as_bytes()));
    }
    assert_eq!(exchange.chunk().await, None);
}

#[tokio::test]
async fn a_piece_comes_back_before_the_request_has_ended() {
    let host = TestHost::with(&["plain-http"]).await;
    let mut exchange = host.ask("POST", PATH).header("transfer-encoding", "chunked").begin().await;
    exchange.write_chunk("first").await;
    assert_eq!(exchange.head().await.status, 200);
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"first"[..]));
    exchange.write_chunk("second").await;
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"second"[..]));
    exchange.write_chunk("").await;
    assert_eq!(exchange.chunk().await, None);
}

#[tokio::test]
async fn a_large_body_comes_back_whole() {
    let host = TestHost::with(&["plain-http"]).await;
    let body: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let answer = host.ask("POST", PATH).body(&body).get().await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == body, "{} bytes came back", answer.body.len());
}

#[tokio::test]
async fn who_leaves_in_the_middle_leaves_nothing() {
    let host = TestHost::with(&["plain-http", "echo"]).await;
    for _ in 0..5 {
        let mut exchange = host.ask("POST", PATH).header("transfer-encoding", "chunked").begin().await;
        exchange.write_chunk("first").await;
        exchange.head().await;
    }
    assert_eq!(host.ask("POST", PATH).body("next").get().await.text(), "next");
    host.stop().await;
}

#[tokio::test]
async fn it_is_no_websocket() {
    let host = TestHost::with(&["plain-http"]).await;
    let answer = host.knock(PATH).refused(404).await;
    assert!(!answer.body.is_empty());
}
