//! Answers of stock guests to plain requests: who is at fault when they end, and which of them are none.

use crate::harness::binary::{self, Call};
use crate::harness::host::TestHost;
use crate::harness::http::Exchange;
use rustix::process::Signal;

/// More than the failures that back a controller off.
const MANY: u64 = 14;

async fn host() -> TestHost {
    TestHost::with(&["answers", "plain-http", "echo"]).await
}

/// The controller is well, and nobody has counted anything against it.
async fn is_well(host: &TestHost) {
    assert_eq!(host.ask("GET", "/answers/status-200").get().await.text(), "content");
    let counted = host.counted();
    assert_eq!((counted.traps, counted.backed_off), (0, 0), "{counted:?}");
}

#[tokio::test]
async fn clients_that_leave_are_not_the_controllers_failures() {
    let host = host().await;
    for _ in 0..MANY {
        let mut exchange = host.ask("GET", "/answers/stream-").begin().await;
        assert_eq!(exchange.head().await.status, 200);
        assert_eq!(exchange.chunk().await.as_deref(), Some(&b"piece"[..]));
    }
    host.counts("each guest has failed", |counted| counted.answers_abandoned == MANY).await;
    is_well(&host).await;
}

#[tokio::test]
async fn clients_that_ask_for_the_head_of_a_stream_are_not_the_controllers_failures() {
    let times = |config: &mut lakou_host::Config| config.guest.call_time = std::time::Duration::from_millis(200);
    let host = TestHost::serving(&["answers"]).config(times).start().await;
    for _ in 0..MANY {
        assert_eq!(host.ask("HEAD", "/answers/stream-").get().await.status, 200);
    }
    host.counts("each stream was let go of", |counted| counted.answers_abandoned == MANY).await;
    is_well(&host).await;
}

/// The count that the next request finds in its instance.
async fn count(host: &TestHost) -> String {
    host.ask("GET", "/answers/count-").get().await.text()
}

#[tokio::test]
async fn nothing_of_one_request_is_there_for_the_next_unless_the_operator_says_so() {
    let host = host().await;
    for _ in 0..3 {
        assert_eq!(count(&host).await, "1");
    }
    let reused = |config: &mut lakou_host::Config| config.guest.requests_per_instance = 3;
    let host = TestHost::serving(&["answers"]).config(reused).start().await;
    // The instance waits from when the guest has returned, which the client need not have waited for.
    let mut expected = 1;
    let mut reuses = 0;
    for _ in 0..30 {
        let count: u32 = count(&host).await.parse().expect("a number");
        assert!(count == expected || count == 1, "{count} for {expected}");
        assert!(count <= 3);
        reuses += u32::from(count > 1);
        expected = count % 3 + 1;
    }
    assert!(reuses > 0, "an instance has answered more than once");
}

#[tokio::test]
async fn an_instance_that_drops_nothing_is_dropped_before_it_fails() {
    let reused = |config: &mut lakou_host::Config| config.guest.requests_per_instance = 1_000;
    let host = TestHost::serving(&["answers"]).config(reused).start().await;
    for _ in 0..30 {
        assert_eq!(host.ask("GET", "/answers/leak-100").get().await.status, 200);
    }
    assert_eq!(host.counted().traps, 0);
}

#[tokio::test]
async fn an_instance_that_waits_does_not_keep_the_server_from_its_end() {
    let (mut server, address) =
        Call::serve().guests(&["answers"]).args(&["--requests-per-instance", "1000"]).anywhere().listening().await;
    for _ in 0..3 {
        assert_eq!(binary::ask(address, "GET", "/answers/status-200").get().await.text(), "content");
    }
    let begun = std::time::Instant::now();
    server.signal(Signal::TERM);
    assert!(server.ended().await.success());
    // It would wait for ten seconds.
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_instance_that_has_failed_answers_nobody_else() {
    let reused = |config: &mut lakou_host::Config| config.guest.requests_per_instance = 1_000;
    let host = TestHost::serving(&["answers"]).config(reused).start().await;
    let mut reused = 0;
    for _ in 0..30 {
        reused += u32::from(count(&host).await != "1");
    }
    assert!(reused > 0, "an instance has answered more than once");
    // A client may have its answer before the instance waits again, so there may be some: each failure takes one with it.
    for failures in 1..=8 {
        assert_eq!(host.ask("GET", "/answers/trap-").get().await.text(), "all of it");
        host.counts("it has failed", |counted| counted.traps == failures).await;
    }
    assert_eq!(count(&host).await, "1");
    // As many at a time as there are requests: one that streams is nobody else's.
    let mut stream = host.ask("GET", "/answers/stream-").begin().await;
    assert_eq!(stream.head().await.status, 200);
    assert_eq!(stream.chunk().await.as_deref(), Some(&b"piece"[..]));
    assert_eq!(host.ask("GET", "/answers/status-200").get().await.text(), "content");
}

#[tokio::test]
async fn an_answer_without_content_may_say_how_long_it_would_be() {
    let host = host().await;
    for _ in 0..MANY {
        let answer = host.ask("HEAD", "/answers/length-200").get().await;
        assert_eq!((answer.status, answer.header("content-length")), (200, Some("5")));
        for status in [204, 205, 304] {
            assert_eq!(host.ask("GET", &format!("/answers/length-{status}")).get().await.status, status);
        }
    }
    assert_eq!(host.counted().traps, 0);
    // Where there is content, what was promised has to come.
    let mut client = host.dial().await;
    client.write("GET /answers/length-200 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    client.expect_end().await;
    host.counts("that one has failed", |counted| counted.traps == 1).await;
}

#[tokio::test]
async fn what_is_finished_is_sent_though_the_guest_exits() {
    let host = host().await;
    for _ in 0..MANY {
        let answer = host.ask("GET", "/answers/exit-0").get().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "all of it"));
    }
    is_well(&host).await;
    for (failures, how) in (1..).zip(["exit-1", "trap-"]) {
        let answer = host.ask("GET", &format!("/answers/{how}")).get().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "all of it"), "{how}");
        host.counts("it is a failure all the same", |counted| counted.traps == failures).await;
    }
}

#[tokio::test]
async fn who_has_sent_what_it_promised_is_still_held_to_how_it_ends() {
    let host = host().await;
    for failures in 1..4 {
        assert_eq!(host.ask("GET", "/answers/promised-").get().await.text(), "12345");
        host.counts("the guest's own failure", |counted| counted.traps == failures).await;
    }
    assert_eq!(host.counted().answers_abandoned, 0);
}

#[tokio::test]
async fn who_exits_without_a_whole_answer_has_failed() {
    let host = host().await;
    assert_eq!(host.ask("GET", "/answers/none-0").get().await.status, 500);
    let mut client = host.dial().await;
    client.write("GET /answers/half-0 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = client.expect_end().await;
    assert!(!answer.ends_with(b"0\r\n\r\n"), "an empty chunk says that this was all: {answer:?}");
    host.counts("both", |counted| counted.traps == 2).await;
}

#[tokio::test]
async fn a_status_that_is_no_answer_is_500_and_says_so() {
    let (binary, address) = Call::serve().guests(&["answers"]).anywhere().listening().await;
    for status in [100, 101, 103] {
        let answer = binary::ask(address, "GET", &format!("/answers/status-{status}")).get().await;
        assert_eq!(answer.status, 500, "{status}");
        binary.logs(&["500", &format!("status {status}, which is no answer")]).await;
    }
    for status in [204, 205, 304] {
        let answer = binary::ask(address, "GET", &format!("/answers/status-{status}")).get().await;
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
}

#[tokio::test]
async fn a_request_that_turns_out_wrong_gets_no_whole_answer() {
    let host = host().await;
    let mut exchange = host.ask("POST", "/plain-http").header("transfer-encoding", "chunked").begin().await;
    exchange.write_chunk("piece").await;
    assert_eq!(exchange.head().await.status, 200);
    assert_eq!(exchange.chunk().await.as_deref(), Some(&b"piece"[..]));
    exchange.write("no length\r\n").await;
    exchange.expect_end().await;
    host.counts("the client broke HTTP/1.1", |counted| counted.requests_malformed == 1).await;
    is_well(&host).await;
}

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
