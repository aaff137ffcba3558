//! Bytes that come as frames. However they are cut, the same of them stops a connection, and what is let through before that has
//! no length that is longer than it need be.

use lakou_host::fuzzing;

pub(crate) fn check(bytes: &[u8]) {
    let Some((choice, frames)) = bytes.split_first() else { return };
    let of_client = choice & 1 == 0;
    let whole = fuzzing::frames(of_client, &[frames]);
    for size in [1, 2, 3, 7, 14, usize::from(*choice) + 1] {
        let pieces: Vec<&[u8]> = frames.chunks(size).collect();
        assert_eq!(fuzzing::frames(of_client, &pieces), whole, "in pieces of {size}");
    }
    if let Some((good, error)) = &whole {
        assert!(*good < frames.len());
        super::one_line(error);
    }
    if of_client {
        let good = whole.as_ref().map_or(frames.len(), |(good, _)| *good);
        let wrong = wrong_length(frames);
        assert!(wrong.is_none_or(|end| end > good), "let through: {wrong:?}");
        if let Some((good, _)) = whole.filter(|(_, error)| error.contains("length")) {
            assert_eq!(wrong, Some(good + 1));
        }
    }
}

/// The end of the first header whose length is longer than it need be, or is none.
fn wrong_length(mut frames: &[u8]) -> Option<usize> {
    let all = frames.len();
    loop {
        let (length, width) = match *frames.get(1)? & 0x7f {
            126 => (u64::from(u16::from_be_bytes(frames.get(2..4)?.try_into().ok()?)), 2),
            127 => (u64::from_be_bytes(frames.get(2..10)?.try_into().ok()?), 8),
            short => (u64::from(short), 0),
        };
        if (width == 2 && length < 126) || (width == 8 && (length < 65_536 || length >> 63 == 1)) {
            return Some(all - frames.len() + 2 + width);
        }
        let mask = if frames[1] & 0x80 == 0 { 0 } else { 4 };
        frames = frames.get(2 + width + mask + usize::try_from(length).ok()?..)?;
    }
}
