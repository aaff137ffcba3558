//! Frames, whole and in pieces, right and wrong.

use super::{Frames, Stopped};

/// A frame as this client writes it, with a length in `width` more bytes.
fn frame(first: u8, width: usize, inside: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [1, 2, 3, 4];
    let length = (inside.len() as u64).to_be_bytes();
    let short = match width {
        0 => length[7],
        2 => 126,
        _ => 127,
    };
    let masked = inside.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
    [first, 0x80 | short].into_iter().chain(length[8 - width..].iter().copied()).chain(KEY).chain(masked).collect()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, 0, &[&code.to_be_bytes(), reason].concat())
}

/// What stops `bytes`, and behind how many, if they come in pieces of `size`.
fn stopped(mut frames: Frames, bytes: &[u8], size: usize) -> Option<(usize, Stopped)> {
    for (number, piece) in bytes.chunks(size).enumerate() {
        if let Err((good, stopped)) = frames.follow(piece) {
            return Some((number * size + good, stopped));
        }
    }
    None
}

/// The same however it is cut.
#[track_caller]
fn stops(bytes: &[u8], expected: Option<(usize, &Stopped)>) {
    for size in 1..=bytes.len() {
        let found = stopped(Frames::of_client(), bytes, size);
        assert_eq!(found.as_ref().map(|(good, stopped)| (*good, stopped)), expected, "in pieces of {size}");
    }
}

#[test]
fn right_frames_pass() {
    let [small, medium, large] = [125, 126, 1 << 16].map(|length| vec![7; length]);
    let mut bytes =
        [frame(0x81, 0, b""), frame(0x01, 0, b"hi"), frame(0x89, 0, &small), frame(0x80, 2, &medium)].concat();
    stops(&bytes, None);
    bytes.extend(frame(0x82, 2, &vec![7; 0xffff]));
    bytes.extend(frame(0x82, 8, &large));
    bytes.extend(close(1000, b"bye"));
    for size in [1, 2, 3, 5, 14, 4096, bytes.len()] {
        assert_eq!(stopped(Frames::of_client(), &bytes, size), None, "in pieces of {size}");
    }
}

#[test]
fn a_length_that_is_longer_than_it_need_be_stops() {
    let before = [frame(0x81, 0, b"first"), frame(0x89, 0, b"")].concat();
    for (width, inside) in [(2, &b""[..]), (2, &[0; 125]), (8, b"hi"), (8, &[0; 126]), (8, &[0; 0xffff])] {
        let mut bytes = [before.clone(), frame(0x82, width, inside)].concat();
        bytes.truncate(before.len() + 40);
        // The header without the mask, and without its last byte.
        let good = before.len() + 2 + width - 1;
        stops(&bytes, Some((good, &Stopped::Length)));
    }
    let beyond = [&before[..], &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]].concat();
    stops(&beyond, Some((beyond.len() - 1, &Stopped::Length)));
}

#[test]
fn close_codes_that_tungstenite_does_not_know_stop() {
    for code in [0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000, 65535] {
        for reason in ["", "gr\u{fc}n"] {
            let bytes = [frame(0x81, 0, b"first"), close(code, reason.as_bytes()), frame(0x81, 0, b"after")].concat();
            let good = frame(0x81, 0, b"first").len() + close(code, reason.as_bytes()).len() - 1;
            stops(&bytes, Some((good, &Stopped::Close { code, reason: reason.into() })));
        }
    }
}

#[test]
fn other_close_frames_are_for_tungstenite_to_judge() {
    for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 3000, 3008, 4000, 4999] {
        stops(&close(code, b"Protocol violation"), None);
    }
    // Not UTF-8; no code, half of one; in fragments, with a reserved bit, too long; no mask.
    stops(&close(1014, b"\xff"), None);
    stops(&frame(0x88, 0, b""), None);
    stops(&frame(0x88, 0, b"\x03"), None);
    let inside = [&1014_u16.to_be_bytes()[..], b"bye"].concat();
    stops(&frame(0x08, 0, &inside), None);
    stops(&frame(0xc8, 0, &inside), None);
    stops(&frame(0x88, 2, &[3; 126]), None);
    stops(&[&[0x88, 5][..], &inside].concat(), None);
}

#[test]
fn frames_of_a_server_begin_behind_the_head_of_its_answer() {
    let inside = [&1014_u16.to_be_bytes()[..], b"bye"].concat();
    let closing = [&[0x88, 5][..], &inside].concat();
    for head in
        ["HTTP/1.1 101 x\r\na: \x7f\x7f\r\n\r\n", "\r\n\r\nHTTP/1.1 101 x\nb: c\n\n", "HTTP/1.1 101 x\r\na: b\n\r\n"]
    {
        let bytes = [head.as_bytes(), &[0x81, 2], b"hi", &closing].concat();
        let expected = (bytes.len() - 1, Stopped::Close { code: 1014, reason: "bye".into() });
        for size in 1..=bytes.len() {
            assert_eq!(stopped(Frames::of_server(), &bytes, size), Some(expected.clone()), "{head:?} in {size}");
        }
    }
    let never = ["HTTP/1.1 101 x\r\na: b\r\n".as_bytes(), &closing].concat();
    assert_eq!(stopped(Frames::of_server(), &never, 7), None);
}
