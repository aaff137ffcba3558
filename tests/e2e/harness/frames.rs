//! WebSocket frames by hand (RFC 6455, section 5.2), right ones and wrong ones: a polite client library refuses to write
//! what a hostile client sends.

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A frame to be written. `first` overrides the first byte, so that reserved bits can be set.
#[derive(Clone)]
pub(crate) struct Frame {
    first: u8,
    masked: bool,
    claimed: Option<u64>,
    /// The length is written in so many bytes more, at least.
    wide: usize,
    payload: Vec<u8>,
}

impl Frame {
    /// A final, masked frame with `payload`.
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Frame { first: 0x80 | opcode, masked: true, claimed: None, wide: 0, payload: payload.as_ref().to_vec() }
    }

    /// More fragments follow.
    pub(crate) fn unfinished(mut self) -> Self {
        self.first &= 0x7f;
        self
    }

    /// With one of the three reserved bits, which only an extension may set.
    pub(crate) fn reserved(mut self, bit: u8) -> Self {
        self.first |= 0x40 >> (bit - 1);
        self
    }

    /// Not masked, which a client must not do.
    pub(crate) fn unmasked(mut self) -> Self {
        self.masked = false;
        self
    }

    /// Claims a payload of `length` bytes, whatever follows.
    pub(crate) fn claiming(mut self, length: u64) -> Self {
        self.claimed = Some(length);
        self
    }

    /// Writes the length in `bytes` (2 or 8) of its own, though it may need none.
    pub(crate) fn wide(mut self, bytes: usize) -> Self {
        self.wide = bytes;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
        let length = self.claimed.unwrap_or(self.payload.len() as u64);
        let mask_bit = if self.masked { 0x80 } else { 0 };
        let mut bytes = vec![self.first];
        let wide = length.to_be_bytes();
        match (length, self.wide) {
            (0..=125, 0) => bytes.push(mask_bit | wide[7]),
            (0..=0xffff, 0..=2) => {
                bytes.push(mask_bit | 126);
                bytes.extend(&wide[6..]);
            }
            _ => {
                bytes.push(mask_bit | 127);
                bytes.extend(wide);
            }
        }
        if self.masked {
            bytes.extend(KEY);
            bytes.extend(self.payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }
}

/// A close frame's payload.
pub(crate) fn closing(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// A frame that was read.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// Takes a whole frame off the front of `buffer`, masked or not; none if it is not all there yet.
pub(crate) fn take(buffer: &mut Vec<u8>) -> Option<Heard> {
    let (length, head) = match *buffer.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?)).ok()?, 10),
        short => (usize::from(short), 2),
    };
    let mask = if buffer[1] & 0x80 == 0 { None } else { Some(buffer.get(head..head + 4)?.to_vec()) };
    let head = head + mask.as_ref().map_or(0, Vec::len);
    let mut payload = buffer.get(head..head + length)?.to_vec();
    for (byte, key) in payload.iter_mut().zip(mask.iter().flatten().cycle()) {
        *byte ^= key;
    }
    let opcode = buffer[0] & 0x0f;
    buffer.drain(..head + length);
    Some(Heard { opcode, payload })
}
