//! WebSocket frames (RFC 6455, section 5.2) as far as the load generator needs them: it builds its frames once, and
//! reads small whole ones.

use std::io;

/// Bytes of a message in every scenario: a line of chat.
pub(crate) const PAYLOAD: [u8; 128] = [b'x'; 128];

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Any key will do where nobody but the server reads along, but zeros would let a server skip the unmasking.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as the server sent it.
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes it takes on the wire.
    pub(crate) length: usize,
}

/// A client's frame, masked.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => frame.push(0x80 | short),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A server's frame.
pub(crate) fn plain(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = masked(opcode, payload);
    let head = frame.len() - MASK.len() - payload.len();
    frame[1] &= 0x7f;
    frame.truncate(head);
    frame.extend(payload);
    frame
}

/// The frame at the start of `bytes`; none if it is not whole yet.
pub(crate) fn parse(bytes: &[u8]) -> io::Result<Option<Frame<'_>>> {
    let (start, payload) = match *bytes {
        [] | [_] | [_, 126] | [_, 126, _] => return Ok(None),
        [_, short @ 0..=125, ..] => (2, usize::from(short)),
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        _ => return Err(io::Error::other("a masked or an unexpectedly long frame")),
    };
    if bytes[0] & 0xf0 != 0x80 {
        return Err(io::Error::other("a fragment, or a frame with reserved bits"));
    }
    let length = start + payload;
    Ok(bytes.get(start..length).map(|payload| Frame { opcode: bytes[0] & 0x0f, payload, length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_frame_is_the_one_of_the_rfc() {
        assert_eq!(masked(TEXT, b"Hello"), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        for (length, head) in [(126, 4), (0xffff, 4), (0x1_0000, 10)] {
            assert_eq!(masked(BINARY, &vec![0; length]).len(), head + MASK.len() + length);
        }
    }

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let mut bytes = vec![0x81, 126, 0, 128];
        bytes.extend(PAYLOAD);
        for part in 0..bytes.len() {
            assert!(parse(&bytes[..part]).is_ok_and(|frame| frame.is_none()), "{part} bytes");
        }
        bytes.push(0x81);
        let frame = parse(&bytes).expect("a well-formed frame").expect("it is whole");
        assert_eq!((frame.opcode, frame.payload, frame.length), (TEXT, &PAYLOAD[..], 132));
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        for bytes in [&[0x01, 1, b'x'][..], &[0xc1, 1, b'x'], &[0x81, 0x81, 0, 0, 0, 0, b'x'], &[0x81, 127, 0]] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
