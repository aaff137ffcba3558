//! Frames that break the WebSocket protocol or are too large. `hostile::frames` tries more of them.

use super::{SHORT, host};
use crate::harness::frames::{BINARY, CLOSE, CONTINUATION, Frame, PING, TEXT, closing};
use crate::harness::siege::Siege;

const LIMIT: usize = 64 * 1024;

/// Writes `frames`, and expects to be closed with `code`.
async fn closed(frames: &[Frame], code: u16) {
    let limits = |config: &mut lakou_host::Config| (config.max_message, config.max_frame) = (LIMIT, LIMIT);
    let siege = Siege::of(host().config(limits)).await;
    let attack = async {
        let mut client = siege.raw("/echo").await;
        for frame in frames {
            // The host may have hung up already.
            let _ = client.try_write(frame.bytes()).await;
        }
        client.expect_close(code).await;
    };
    siege.attack(attack).await;
    match code {
        1009 => siege.met("max-message", |counted| counted.messages_too_large).await,
        _ => siege.met("RFC 6455", |counted| counted.protocol_errors).await,
    }
}

#[tokio::test]
async fn an_unmasked_frame() {
    closed(&[Frame::new(TEXT, "hi").unmasked()], 1002).await;
}

#[tokio::test]
async fn a_compressed_frame_without_the_extension() {
    closed(&[Frame::new(TEXT, "hi").reserved(1)], 1002).await;
}

#[tokio::test]
async fn an_opcode_that_is_none() {
    closed(&[Frame::new(7, "hi")], 1002).await;
}

#[tokio::test]
async fn a_length_that_is_longer_than_it_need_be() {
    closed(&[Frame::new(TEXT, "hi").wide(8)], 1002).await;
}

/// Writes what makes no whole message a little at a time, far longer than one may take.
async fn dripped(first: &[u8], then: impl Fn() -> Vec<u8>) {
    let times = |config: &mut lakou_host::Config| {
        (config.ping_interval, config.body_timeout, config.min_body_rate) = (SHORT / 3, SHORT, 1 << 20);
    };
    let siege = Siege::of(host().config(times)).await;
    let attack = async {
        let mut client = siege.raw("/echo").await;
        client.write(first).await;
        let mut pulse = tokio::time::interval(SHORT / 6);
        for _ in 0..60 {
            pulse.tick().await;
            if client.try_write(then()).await.is_err() {
                break;
            }
        }
        client.expect_close(1008).await;
    };
    siege.attack(attack).await;
    siege.met("body-timeout", |counted| counted.messages_too_slow).await;
}

#[tokio::test]
async fn a_frame_that_comes_a_byte_at_a_time() {
    dripped(&Frame::new(TEXT, [b'x'; 1000]).bytes()[..10], || vec![0]).await;
}

#[tokio::test]
async fn a_message_that_comes_a_fragment_at_a_time_with_pings_between() {
    let more = || [Frame::new(CONTINUATION, "x").unfinished().bytes(), Frame::new(PING, "").bytes()].concat();
    dripped(&Frame::new(TEXT, "x").unfinished().bytes(), more).await;
}

#[tokio::test]
async fn an_oversize_control_frame() {
    closed(&[Frame::new(PING, [b'x'; 126])], 1002).await;
}

#[tokio::test]
async fn a_continuation_of_nothing() {
    closed(&[Frame::new(CONTINUATION, "hi")], 1002).await;
}

#[tokio::test]
async fn a_close_code_that_may_not_be_sent() {
    closed(&[Frame::new(CLOSE, closing(1006, ""))], 1002).await;
}

#[tokio::test]
async fn a_text_that_is_none() {
    closed(&[Frame::new(TEXT, b"\xed\xa0\x80")], 1007).await;
}

#[tokio::test]
async fn a_message_over_the_limit() {
    closed(&[Frame::new(BINARY, vec![0; LIMIT + 1])], 1009).await;
}

#[tokio::test]
async fn a_length_of_exabytes() {
    closed(&[Frame::new(BINARY, "hi").claiming(u64::MAX >> 1)], 1009).await;
}

#[tokio::test]
async fn fragments_that_never_end() {
    let more = Frame::new(CONTINUATION, [b'x'; 1024]).unfinished();
    let mut frames = vec![Frame::new(TEXT, "x").unfinished()];
    frames.extend(std::iter::repeat_n(more, 100));
    closed(&frames, 1009).await;
}
