//! A stream that counts what is read from it: a client in the middle of a long frame is not silent, though no frame comes, and
//! one that sends fragments without end and nothing in them is not one that speaks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::Message as Frame;

/// The bytes that a client's fragment of one byte has on the wire (RFC 6455, section 5.2): no message has more of them for each
/// of its own, unless it has fragments with nothing in them.
const FRAGMENT: u64 = 7;

/// The most that a control frame has around what is in it.
const CONTROL: u64 = 14;

/// `stream`, and how many bytes have come from it.
pub(super) struct Heard<S> {
    stream: S,
    bytes: u64,
    /// The part of them that belongs to whole frames that have been handed on.
    understood: u64,
}

impl<S> Heard<S> {
    pub(super) fn new(stream: S) -> Self {
        Heard { stream, bytes: 0, understood: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// This frame has come. What follows it in the same read is taken for a part of it.
    pub(super) fn understand(&mut self, frame: &Frame) {
        self.understood = match frame {
            Frame::Ping(inside) | Frame::Pong(inside) => {
                self.bytes.min(self.understood + CONTROL + inside.len() as u64)
            }
            _ => self.bytes,
        };
    }

    /// Whether more has come since the last message than one of `most` bytes can take, however it is cut.
    pub(super) fn is_padded(&self, most: usize) -> bool {
        self.bytes - self.understood > FRAGMENT * most as u64 + CONTROL
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        self.bytes += (into.filled().len() - before) as u64;
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
