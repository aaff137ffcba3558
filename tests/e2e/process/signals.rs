//! Signals that are no wish for the end, limits of the process, and a log that can not be written: the server goes on.

use crate::harness::binary::{Binary, Call, connect};
use crate::harness::folder::Folder;
use crate::harness::wait::within;
use crate::harness::ws::WsClient;
use rustix::process::Signal;
use std::net::SocketAddr;

/// By number, on Linux: HUP, USR1, USR2, ALRM, STKFLT, XFSZ, VTALRM, PROF, IO, the first and the last real-time one.
const NOTED: [(i32, &str); 11] = [
    (1, "SIGHUP"),
    (10, "SIGUSR1"),
    (12, "SIGUSR2"),
    (14, "SIGALRM"),
    (16, "SIGSTKFLT"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (29, "SIGIO"),
    (34, "signal 34"),
    (64, "signal 64"),
];
/// PIPE, which the standard library ignores, and lets programs that are started have again.
const PIPE: u64 = 1 << 12;

async fn serving() -> (Binary, SocketAddr) {
    Call::serve().guests(&["probe"]).anywhere().args(&["--drain-time", "200ms"]).listening().await
}

#[tokio::test]
async fn a_signal_that_means_nothing_is_a_line_in_the_log() {
    let (binary, address) = serving().await;
    let mut client = connect(address, "/probe/x").await;
    for (number, name) in NOTED {
        binary.signal_number(number);
        // Five lines a second: whichever is left out, it lives.
        client.exchange("echo on", "on").await;
        if matches!(number, 1 | 10) {
            binary.logs(&["WARN", name]).await;
        }
    }
    binary.signal_number(13);
    client.exchange("echo on", "on").await;
}

#[tokio::test]
async fn every_signal_that_would_end_it_is_decided() {
    let (binary, _) = serving().await;
    let (handled, ignored) = binary.dispositions();
    let left = |number: i32| matches!(number, 3..=8 | 9 | 11 | 31 | 13 | 17..=23 | 28 | 32 | 33);
    for number in (1..=64).filter(|number| !left(*number)) {
        assert!(handled & (1 << (number - 1)) != 0, "signal {number} has its default");
    }
    assert_eq!(handled & 0b100, 0, "QUIT is for a core dump");
    // Whatever is ignored would be ignored by `lakou compile`, too. (The C library's own two come as they were.)
    assert_eq!(ignored & !(0b11 << 31), PIPE);
}

#[tokio::test]
async fn a_power_failure_and_the_end_of_the_cpu_time_drain_the_server() {
    for number in [30, 24] {
        let (mut binary, address) = serving().await;
        let mut client = connect(address, "/probe/x").await;
        binary.signal_number(number);
        client.expect("farewell").await;
        client.expect_close(1001).await;
        assert_eq!(binary.ended().await.code(), Some(0), "{:?}", binary.stderr());
    }
}

#[tokio::test]
async fn a_hangup_while_it_drains_is_no_second_signal() {
    let call = Call::serve().guests(&["probe"]).anywhere().args(&["--drain-time", "2s"]);
    let (mut binary, address) = call.listening().await;
    let mut client = connect(address, "/probe/x").await;
    binary.signal(Signal::TERM);
    binary.logs(&["stopping"]).await;
    binary.signal(Signal::HUP);
    client.expect("farewell").await;
    client.expect_close(1001).await;
    assert_eq!(binary.ended().await.code(), Some(0), "{:?}", binary.stderr());
}

#[tokio::test]
async fn a_limit_of_file_sizes_is_a_fault_and_reading_goes_on() {
    let folder = Folder::new();
    let data = folder.join("data");
    let call = Call::serve().guests(&["keeps"]).file("lakou.toml", "[controller.keeps]\nkeyvalue = true\n");
    // Room is asked for again and again until it is there, faster than a controller usually may.
    let call = call.args(&["--store-rate", "1000000"]);
    let (binary, address) =
        call.args(&["--data", data.to_str().expect("a path in UTF-8")]).anywhere().listening().await;
    let mut client = connect(address, "/keeps").await;
    client.exchange("set greeting hello", "ok").await;
    client.exchange("set-large 0 200000", "ok").await;
    let length = std::fs::metadata(data.join("identities.redb")).expect("the file of the store").len();
    binary.limit_files(Some(length));
    let mut kept = 1;
    within("there is no more room", async {
        loop {
            client.say(&format!("set-large {kept} 200000")).await;
            match client.hear_text().await.as_str() {
                "ok" => kept += 1,
                refused => {
                    break assert!(refused.starts_with("unavailable: the store is not available: "), "{refused}");
                }
            }
        }
    })
    .await;
    for _ in 0..3 {
        client.say("set greeting another").await;
        client.expect_start("unavailable: ").await;
        reads(&mut client, kept).await;
    }
    binary.logs(&["ERROR", "identities and values: "]).await;
    binary.logs(&["WARN", "SIGXFSZ", "ulimit -f"]).await;
    binary.limit_files(None);
    within("it takes more by itself", async {
        loop {
            client.say("set after hello").await;
            if client.hear_text().await == "ok" {
                break;
            }
            client.exchange("get greeting", "hello").await;
        }
    })
    .await;
    client.exchange("get after", "hello").await;
    client.exchange("get greeting", "hello").await;
}

async fn reads(client: &mut WsClient, kept: u32) {
    client.exchange("get greeting", "hello").await;
    client.exchange(&format!("exists {}", kept - 1), "true").await;
    client.exchange(&format!("exists {kept}"), "false").await;
    client.exchange("keys gr", "greeting").await;
}

#[tokio::test]
async fn a_log_on_a_full_disk_is_lost_and_nothing_else() {
    // A file that is none is a line in the log.
    let call = Call::serve().guests(&["probe"]).file("controllers/odd.wasm", "hello").log_into("/dev/full");
    let (mut binary, address) = call.anywhere().listening().await;
    let mut client = connect(address, "/probe/x").await;
    binary.signal(Signal::HUP);
    client.exchange("echo on", "on").await;
    binary.signal(Signal::TERM);
    client.expect("farewell").await;
    client.expect_close(1001).await;
    assert_eq!(binary.ended().await.code(), Some(0));
}
