//! Frames that RFC 6455 forbids. Autobahn tries many more; these are the ones whose handling is ours.

use crate::harness::frames::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, closing};
use crate::harness::host::TestHost;
use crate::harness::raw::handshake;

/// Writes `frames` to the echo, and expects to be closed with `code`, in time, while another client is served.
async fn closes_with(code: u16, what: &str, frames: &[Frame]) {
    let host = TestHost::with(&["echo"]).await;
    let mut bystander = host.connect("/echo").await;
    let mut client = host.raw("/echo").await;
    for frame in frames {
        client.send(frame.clone()).await;
    }
    println!("{what}");
    client.expect_close(code).await;
    bystander.exchange("hi", "hi").await;
    host.counts(what, |counted| counted.connections == 1).await;
}

#[tokio::test]
async fn protocol_errors_are_1002() {
    let text = || Frame::new(TEXT, "hi");
    let cases: Vec<(&str, Vec<Frame>)> = vec![
        ("an unmasked frame", vec![text().unmasked()]),
        ("an unmasked control frame", vec![Frame::new(PING, "").unmasked()]),
        ("reserved bit 1", vec![text().reserved(1)]),
        ("reserved bit 2", vec![text().reserved(2)]),
        ("reserved bit 3", vec![text().reserved(3)]),
        ("opcode 3", vec![Frame::new(3, "hi")]),
        ("opcode 11", vec![Frame::new(11, "hi")]),
        ("a ping of 126 bytes", vec![Frame::new(PING, [0; 126])]),
        ("a ping in fragments", vec![Frame::new(PING, "hi").unfinished()]),
        ("a close in fragments", vec![Frame::new(CLOSE, closing(1000, "")).unfinished()]),
        ("a continuation of nothing", vec![Frame::new(CONTINUATION, "hi")]),
        ("a message inside of another", vec![text().unfinished(), text()]),
        ("a binary inside of a text", vec![text().unfinished(), Frame::new(BINARY, "hi")]),
        ("a close with half a code", vec![Frame::new(CLOSE, [3])]),
        ("a close with code 999", vec![Frame::new(CLOSE, closing(999, ""))]),
        ("a close with code 1005", vec![Frame::new(CLOSE, closing(1005, ""))]),
        ("a close with code 1006", vec![Frame::new(CLOSE, closing(1006, ""))]),
        ("a close with code 1015", vec![Frame::new(CLOSE, closing(1015, ""))]),
        ("a close with code 5000", vec![Frame::new(CLOSE, closing(5000, ""))]),
        ("a length of 2 in 16 bits", vec![text().wide(2)]),
        ("a length of 2 in 64 bits", vec![text().wide(8)]),
        ("a length of 0 in 16 bits", vec![Frame::new(BINARY, "").wide(2)]),
        ("a length of 300 in 64 bits", vec![Frame::new(BINARY, [7; 300]).wide(8)]),
        ("a length in the second fragment", vec![text().unfinished(), Frame::new(CONTINUATION, "hi").wide(2)]),
        ("a ping with a length of 2 in 16 bits", vec![Frame::new(PING, "hi").wide(2)]),
        ("a close with a length of 2 in 16 bits", vec![Frame::new(CLOSE, closing(1000, "")).wide(2)]),
        ("a length with the bit that none has", vec![text().claiming(1 << 63)]),
        ("a length with all bits", vec![text().claiming(u64::MAX)]),
    ];
    for (what, frames) in cases {
        closes_with(1002, what, &frames).await;
    }
}

#[tokio::test]
async fn what_comes_before_a_wrong_frame_is_answered() {
    let host = TestHost::with(&["echo"]).await;
    let right = [Frame::new(TEXT, "one"), Frame::new(PING, "two"), Frame::new(BINARY, [3; 70_000])];
    let wrong = [Frame::new(TEXT, "four").wide(2), Frame::new(TEXT, "five")];
    let mut bytes: Vec<u8> = right.iter().chain(&wrong).flat_map(Frame::bytes).collect();
    // At once with the handshake, and a byte at a time from the middle of the large one on.
    let slowly = bytes.split_off(60_000);
    let mut client = host.dial().await;
    client.write([handshake("/echo", "").as_bytes(), &bytes].concat()).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.write(&slowly[..10_000]).await;
    for byte in &slowly[10_000..] {
        // The host may have seen enough.
        let _ = client.try_write([*byte]).await;
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(client.hear().await.expect("an answer").opcode);
    }
    heard.sort_unstable();
    assert_eq!(heard, [TEXT, BINARY, PONG]);
    assert!(client.expect_close(1002).await.contains("shortest form"));
    assert_eq!(host.counted().messages_in, 2);
}

#[tokio::test]
async fn bad_utf8_is_1007() {
    let cases: Vec<(&str, Vec<Frame>)> = vec![
        ("a stray byte", vec![Frame::new(TEXT, b"\xff")]),
        ("an overlong slash", vec![Frame::new(TEXT, b"\xc0\xaf")]),
        ("a surrogate", vec![Frame::new(TEXT, b"\xed\xa0\x80")]),
        ("beyond Unicode", vec![Frame::new(TEXT, b"\xf4\x90\x80\x80")]),
        ("cut at the end", vec![Frame::new(TEXT, b"ok \xc3")]),
        ("in the second fragment", vec![Frame::new(TEXT, b"ok").unfinished(), Frame::new(CONTINUATION, b"\xff")]),
        ("across fragments", vec![Frame::new(TEXT, b"\xc3").unfinished(), Frame::new(CONTINUATION, b"\x28")]),
    ];
    for (what, frames) in cases {
        closes_with(1007, what, &frames).await;
    }
}

#[tokio::test]
async fn a_reason_that_is_not_utf8_is_an_error() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.raw("/echo").await;
    client.send(Frame::new(CLOSE, b"\x03\xe8\xff")).await;
    let heard = client.hear().await.expect("a close frame");
    assert_eq!(heard.opcode, CLOSE);
    let code = u16::from_be_bytes([heard.payload[0], heard.payload[1]]);
    assert!(code == 1007 || code == 1002, "{code}");
}

#[tokio::test]
async fn nothing_is_heard_after_a_close() {
    let host = TestHost::with(&["probe"]).await;
    let mut sibling = host.connect("/probe/x").await;
    let mut client = host.raw("/probe/x").await;
    let mut bytes = Frame::new(CLOSE, closing(1000, "")).bytes();
    bytes.extend(Frame::new(TEXT, "broadcast too late").bytes());
    client.write(bytes).await;
    client.expect_close(1000).await;
    sibling.expect("told left 1000 ").await;
    sibling.exchange("echo silence", "silence").await;
}
