//! Who counts as silent: not a client that is not listened to, and not one in the middle of a long word.

use crate::harness::frames::{Frame, TEXT};
use crate::harness::host::TestHost;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(400);

async fn host(guest: &str) -> TestHost {
    TestHost::serving(&[guest])
        .config(|config| (config.ping_interval, config.idle_timeout) = (SHORT / 4, SHORT))
        .start()
        .await
}

#[tokio::test]
async fn who_waits_for_a_busy_guest_is_not_idle() {
    let host = host("misbehave").await;
    let mut client = host.connect("/misbehave/nap-in-message").await;
    // Far more than is read before the guest is done with the naps, which take five time-outs.
    let naps = (0..4).map(|_| "now".to_owned());
    client.say_all(naps.chain((0..500).map(|number| number.to_string()))).await;
    for number in 0..500 {
        client.expect(&number.to_string()).await;
    }
    assert_eq!(host.counted().idle_closed, 0);
}

#[tokio::test]
async fn who_is_in_the_middle_of_a_long_frame_is_not_idle() {
    let host = host("echo").await;
    let mut client = host.raw("/echo").await;
    let mut pulse = tokio::time::interval(SHORT / 16);
    // Pings are not answered meanwhile: a frame can not be interrupted.
    for byte in Frame::new(TEXT, [b'x'; 60]).bytes() {
        pulse.tick().await;
        client.write([byte]).await;
    }
    client.expect(TEXT, [b'x'; 60]).await;
    assert_eq!(host.counted().idle_closed, 0);
}

#[tokio::test]
async fn who_stops_in_the_middle_of_a_long_frame_is_idle() {
    let host = host("echo").await;
    let mut client = host.raw("/echo").await;
    client.write(&Frame::new(TEXT, [b'x'; 60]).bytes()[..30]).await;
    client.expect_end().await;
    host.counts("it is given up", |counted| (counted.connections, counted.idle_closed) == (0, 1)).await;
}
