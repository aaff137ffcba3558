//! Clients that read nothing: what is owed to them does not pile up, and they hold up no drain.

use crate::harness::binary::{Call, connect, raw};
use crate::harness::frames::{Frame, PING, TEXT};
use crate::harness::host::TestHost;
use crate::harness::wait::eventually;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// What the host may grow by, in MiB, while it is sent many times as much.
const LITTLE: u64 = 32;

#[tokio::test]
async fn pongs_that_nobody_reads_are_not_kept() {
    let (binary, address) = Call::serve().guests(&["echo"]).anywhere().listening().await;
    let mut client = raw(address, "/echo").await;
    connect(address, "/echo").await.exchange("hi", "hi").await;
    let before = binary.peak_memory();
    let pings = Frame::new(PING, [b'x'; 125]).bytes().repeat(8 * 1024);
    let taken = client.stuff_at_most(&pings, 150 * MIB).await;
    assert!(taken < 100 * MIB, "{taken} bytes of pings are taken from a client that reads no pong");
    connect(address, "/echo").await.exchange("hi", "hi").await;
    let grown = binary.peak_memory() - before;
    assert!(grown < LITTLE, "{grown} MiB for {taken} bytes of pings");
}

#[tokio::test]
async fn a_drain_ends_in_time_with_room_left_in_the_outbox() {
    let patience = Duration::from_millis(300);
    let mut host = TestHost::serving(&["probe"])
        .outbox(64 * MIB)
        .config(|config| {
            (config.drain_time, config.close_timeout) = (patience, patience);
            // The host waits for a call that may still run, and must not need it.
            (config.guest.cpu_time, config.guest.call_time) = (Duration::from_secs(5), Duration::from_secs(60));
        })
        .start()
        .await;
    let mut deaf = host.raw("/probe/x").await;
    // The kernel's buffers take some megabytes; the outbox has the rest.
    deaf.send(Frame::new(TEXT, "send 60000 500")).await;
    let mut sibling = host.connect("/probe/x").await;
    sibling.exchange("echo all is queued", "all is queued").await;
    let (mut written, mut looks) = (0, 0);
    eventually("its socket takes no more", || {
        let now = host.counted().messages_out;
        looks = if now == written { looks + 1 } else { 0 };
        written = now;
        looks == 20
    })
    .await;
    assert!(written < 500, "the kernel has taken all {written} messages");
    assert_eq!(host.counted().slow_clients, 0);
    let leaving = tokio::spawn(async move {
        sibling.expect("farewell").await;
        sibling.finish().await;
    });
    host.begin_stop();
    host.stopped().await;
    leaving.await.expect("the sibling is closed");
    let counted = host.counted();
    assert_eq!((counted.connections, counted.instances), (0, 0), "{counted:?}");
    drop(deaf);
}
