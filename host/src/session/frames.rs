//! What is to be known of frames before tungstenite sees them (RFC 6455, sections 5.2 and 5.5.1): it takes lengths that are not in
//! their shortest form, and answers close codes that were registered after it was written as if they were none. The bytes of
//! frames are only followed here, from header to header; reading them is tungstenite's matter.

use std::io;

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The longest header, without the mask.
const HEADER: usize = 10;

const FINAL: u8 = 0x80;
const CLOSE: u8 = 8;
/// The bit that the opcodes of control frames have.
const CONTROL: u8 = 8;
const MASKED: u8 = 0x80;
const MASK: usize = 4;

/// Where the stream is.
pub(super) struct Frames {
    /// Before the first frame: the head of the answer to a handshake.
    head: Option<Head>,
    /// How the frames of this side's peer are: those of clients are masked, and no others.
    masked: bool,
    /// The header that has begun, and how much of it is there.
    header: [u8; HEADER],
    has: usize,
    /// What is still to come of a frame behind its header: the mask, and what is in it.
    rest: u64,
    /// That much of a close frame, while one is coming.
    close: Option<Vec<u8>>,
    /// Fragments have come, and the last one is not among them.
    fragmented: bool,
    /// Messages whose last or only frame has begun.
    messages: u32,
}

/// A frame that tungstenite is not to see the end of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stopped {
    #[error("the length of a frame is not in its shortest form, or has its highest bit set")]
    Length,
    /// A close frame whose code tungstenite does not know; whether it may be sent is not said by that.
    #[error("a close frame has the code {code}")]
    Close { code: u16, reason: String },
}

impl Stopped {
    /// The cause of an error that tungstenite has passed on from the stream below it.
    pub(super) fn of(error: &Error) -> Option<&Stopped> {
        let Error::Io(error) = error else { return None };
        error.get_ref()?.downcast_ref()
    }
}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        io::Error::other(stopped)
    }
}

impl Frames {
    /// Of a client, from the first byte on.
    pub(super) fn of_client() -> Self {
        Frames {
            head: None,
            masked: true,
            header: [0; HEADER],
            has: 0,
            rest: 0,
            close: None,
            fragmented: false,
            messages: 0,
        }
    }

    /// Of a server, behind the head of its answer to the handshake.
    pub(super) fn of_server() -> Self {
        Frames { head: Some(Head::default()), masked: false, ..Frames::of_client() }
    }

    /// The number of the message, or the frame, that has begun and is not whole.
    pub(super) fn underway(&self) -> Option<u32> {
        (self.has > 0 || self.rest > 0 || self.fragmented).then_some(self.messages)
    }

    /// How many of `bytes` belong to the head of the answer to a handshake; none: it is over.
    pub(super) fn head(&mut self, bytes: &[u8]) -> Option<usize> {
        let head = self.head.as_mut()?;
        let length = head.follow(bytes);
        if head.is_over {
            self.head = None;
        }
        Some(length)
    }

    /// Nothing has begun that is not whole: neither a frame nor a message in fragments.
    pub(super) fn are_whole(&self) -> bool {
        self.head.is_none() && self.underway().is_none()
    }

    /// Goes on by `bytes`. If there is a frame in them that tungstenite is not to see the end of: how many bytes come before
    /// that end, and what it is.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<(), (usize, Stopped)> {
        let mut at = self.head(bytes).unwrap_or(0);
        loop {
            let left = &bytes[at..];
            let inside = usize::try_from(self.rest).unwrap_or(usize::MAX).min(left.len());
            if inside > 0 {
                at += inside;
                self.rest -= inside as u64;
                if let Some(close) = &mut self.close {
                    close.extend_from_slice(&left[..inside]);
                    if self.rest == 0
                        && let Some(stopped) = self.close.take().and_then(|close| self.closes(close))
                    {
                        return Err((at - 1, stopped));
                    }
                }
            } else if self.has == 0
                && let Some(header) = left.first_chunk()
            {
                // All of it at once, which is how nearly all come.
                at += self.begin(header, HEADER).map_err(|(length, stopped)| (at + length - 1, stopped))?.unwrap_or(0);
            } else if let Some(byte) = left.first() {
                self.header[self.has] = *byte;
                self.has += 1;
                let header = self.header;
                if self.begin(&header, self.has).map_err(|(_, stopped)| (at, stopped))?.is_some() {
                    self.has = 0;
                }
                at += 1;
            } else {
                return Ok(());
            }
        }
    }

    /// Looks whether a header is whole, of which so much is there, and what it says; gives how long it is.
    fn begin(&mut self, header: &[u8; HEADER], has: usize) -> Result<Option<usize>, (usize, Stopped)> {
        let [first, second, wide @ ..] = *header;
        let short = second & !MASKED;
        let (length, least, whole) = match short {
            126 => (u64::from(u16::from_be_bytes([wide[0], wide[1]])), 126, 4),
            127 => (u64::from_be_bytes(wide), 1 << 16, HEADER),
            _ => (u64::from(short), 0, 2),
        };
        if has < whole {
            return Ok(None);
        }
        if length < least || length > i64::MAX as u64 {
            return Err((whole, Stopped::Length));
        }
        let mask = if second & MASKED == 0 { 0 } else { MASK };
        self.rest = length.saturating_add(mask as u64);
        if first & CONTROL == 0 {
            self.fragmented = first & FINAL == 0;
            self.messages = self.messages.wrapping_add(u32::from(!self.fragmented));
        }
        // Others are no close frames, which tungstenite says by itself.
        if first == FINAL | CLOSE && (mask > 0) == self.masked && (2..126).contains(&length) {
            self.close = Some(Vec::with_capacity(MASK + usize::from(short)));
        }
        Ok(Some(whole))
    }

    /// What a close frame says, if tungstenite would not understand it.
    fn closes(&self, close: Vec<u8>) -> Option<Stopped> {
        let (mask, said) = close.split_at(if self.masked { MASK } else { 0 });
        let mask = if self.masked { mask } else { &[0] };
        let said: Vec<u8> = said.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        let (code, reason) = said.split_first_chunk()?;
        let code = u16::from_be_bytes(*code);
        if CloseCode::from(code).is_allowed() {
            return None;
        }
        // A reason that is no UTF-8 is worse than the code, and tungstenite says so.
        let reason = String::from_utf8(reason.to_vec()).ok()?;
        Some(Stopped::Close { code, reason })
    }
}

/// What stops bytes that come in such pieces, and behind how many of them.
pub(crate) fn stopped(of_client: bool, pieces: &[&[u8]]) -> Option<(usize, String)> {
    let mut frames = if of_client { Frames::of_client() } else { Frames::of_server() };
    let mut before = 0;
    for piece in pieces {
        if let Err((good, stopped)) = frames.follow(piece) {
            return Some((before + good, stopped.to_string()));
        }
        before += piece.len();
    }
    None
}

/// The head of an answer, up to the empty line that ends it. Lines end as tungstenite takes them, by LF with or without CR, and
/// empty ones before the first do not count.
#[derive(Default)]
struct Head {
    begun: bool,
    in_line: bool,
    is_over: bool,
}

impl Head {
    /// How many of `bytes` belong to it.
    fn follow(&mut self, bytes: &[u8]) -> usize {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\r' => {}
                b'\n' if self.begun && !self.in_line => {
                    self.is_over = true;
                    return at + 1;
                }
                b'\n' => self.in_line = false,
                _ => (self.begun, self.in_line) = (true, true),
            }
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests;
