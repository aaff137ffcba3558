//! Sending a file: piece by piece, on threads that may wait for a disk, and never as whole if it has changed meanwhile.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use uuid::Uuid;

use super::folder::Version;
use super::ranges::content_range;
use crate::http::Body;
use crate::rate::{Admitted, RateLimit};

/// How much of a file is in memory for one answer: the next piece is read when the client has taken the one before.
const PIECE: usize = 64 * 1024;

/// A file that is being sent.
pub(super) struct Sent {
    opened: Arc<Opened>,
    pieces: VecDeque<Piece>,
    log: Arc<RateLimit>,
}

struct Opened {
    file: File,
    version: Version,
}

enum Piece {
    Text(String),
    Part(Range<u64>),
}

impl Sent {
    pub(super) fn new(file: File, version: Version, log: Arc<RateLimit>) -> Self {
        Sent { opened: Arc::new(Opened { file, version }), pieces: VecDeque::new(), log }
    }

    /// The body of an answer that has none.
    pub(super) fn nothing() -> Body {
        Empty::new().map_err(|never| match never {}).boxed_unsync()
    }

    pub(super) fn whole(self) -> Body {
        let all = 0..self.opened.version.length;
        self.part(all)
    }

    pub(super) fn part(mut self, part: Range<u64>) -> Body {
        self.pieces.push_back(Piece::Part(part));
        self.body()
    }

    /// Several parts as one body (RFC 9110, section 14.6), with its type and its length.
    pub(super) fn parts(mut self, parts: &[Range<u64>], media: &HeaderValue) -> (HeaderValue, u64, Body) {
        let boundary = Uuid::new_v4().simple().to_string();
        let media = String::from_utf8_lossy(media.as_bytes());
        let mut length = 0;
        for part in parts {
            let range = content_range(part, self.opened.version.length);
            let head = format!("\r\n--{boundary}\r\ncontent-type: {media}\r\ncontent-range: {range}\r\n\r\n");
            length += head.len() as u64 + (part.end - part.start);
            self.pieces.extend([Piece::Text(head), Piece::Part(part.clone())]);
        }
        let end = format!("\r\n--{boundary}--\r\n");
        length += end.len() as u64;
        self.pieces.push_back(Piece::Text(end));
        let media = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"));
        (media.unwrap_or(HeaderValue::from_static("multipart/byteranges")), length, self.body())
    }

    fn body(self) -> Body {
        StreamBody::new(stream::try_unfold(self, Sent::next)).boxed_unsync()
    }

    /// An error here ends the connection before the announced length is reached, which tells the client.
    async fn next(mut self) -> Result<Option<(Frame<Bytes>, Self)>, Box<dyn Error + Send + Sync>> {
        let bytes = loop {
            match self.pieces.pop_front() {
                None => return Ok(None),
                Some(Piece::Text(text)) => break Bytes::from(text),
                Some(Piece::Part(part)) if part.is_empty() => {}
                Some(Piece::Part(part)) => {
                    let (opened, wanted) = (Arc::clone(&self.opened), part.clone());
                    let read = tokio::task::spawn_blocking(move || opened.read(&wanted)).await?;
                    let bytes = read.inspect_err(|error| {
                        if self.log.admit() == Admitted::Yes {
                            tracing::warn!("a static file breaks off while it is sent: {error}");
                        }
                    })?;
                    self.pieces.push_front(Piece::Part(part.start + bytes.len() as u64..part.end));
                    break bytes;
                }
            }
        };
        Ok(Some((Frame::data(bytes), self)))
    }
}

impl Opened {
    /// Reads the beginning of a part. The file is looked at after that: what was read is of the content that was announced.
    fn read(&self, part: &Range<u64>) -> io::Result<Bytes> {
        let count = usize::try_from(part.end - part.start).map_or(PIECE, |count| count.min(PIECE));
        let mut bytes = vec![0; count];
        let read = self.file.read_at(&mut bytes, part.start)?;
        if read == 0 || Version::of(&self.file.metadata()?) != self.version {
            return Err(io::Error::other("it was changed"));
        }
        bytes.truncate(read);
        Ok(bytes.into())
    }
}
