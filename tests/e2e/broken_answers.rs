//! A guest that fails in the middle of a plain answer: its client can tell the half from a whole.

use crate::harness::host::TestHost;
use crate::harness::http::Exchange;

/// An answer of which the client has the first half; the guest waits for a word to go on.
async fn half_an_answer(host: &TestHost, path: &str) -> Exchange {
    let mut exchange = host.ask("POST", path).header("transfer-encoding", "chunked").begin().await;
    assert_eq!(exchange.head().await.status, 200, "{path}");
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"half of it"[..]), "{path}");
    exchange
}

#[tokio::test]
async fn an_answer_that_breaks_off_has_no_end() {
    let host = TestHost::with(&["breaks-off", "echo"]).await;
    for (round, how) in ["panic", "loop", "exit"].iter().enumerate() {
        let mut exchange = half_an_answer(&host, &format!("/breaks-off/{how}")).await;
        exchange.write_chunk("go on").await;
        // An empty chunk would say that this was all.
        exchange.expect_end().await;
        let counted = host.counted();
        assert_eq!(counted.traps + counted.cpu_exceeded, round as u64 + 1, "{how}: {counted:?}");
    }
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn an_answer_that_does_not_break_off_has_an_end() {
    let host = TestHost::with(&["breaks-off"]).await;
    let mut exchange = half_an_answer(&host, "/breaks-off/not").await;
    exchange.write_chunk("go on").await;
    assert_eq!(exchange.chunk().await, None);
    assert_eq!(host.counted().traps, 0);
}
