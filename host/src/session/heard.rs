//! The stream below tungstenite, which counts what is read from it: a client in the middle of a long frame is not silent, though
//! no frame comes, and one that sends fragments without end and nothing in them is not one that speaks. What `frames` stops is
//! not handed on.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::Message as Frame;

use super::frames::{Frames, Stopped};

/// The bytes that a client's fragment of one byte has on the wire (RFC 6455, section 5.2): no message has more of them for each
/// of its own, unless it has fragments with nothing in them.
const FRAGMENT: u64 = 7;

/// The most that a control frame has around what is in it.
const CONTROL: u64 = 14;

/// How much is read ahead of a stream at a time.
const AHEAD: usize = 4 * 1024;

/// `stream`, and how many bytes have come from it.
pub(super) struct Heard<S> {
    stream: S,
    /// Read from it and not yet handed on.
    before: Bytes,
    frames: Frames,
    /// Nothing more is handed on.
    stopped: Option<Stopped>,
    bytes: u64,
    /// The part of them that belongs to whole frames that have been handed on.
    understood: u64,
}

impl<S> Heard<S> {
    /// Of a client that has shaken hands; `before` was read of it beyond that.
    pub(super) fn of_client(stream: S, before: Bytes) -> Self {
        Heard { stream, before, frames: Frames::of_client(), stopped: None, bytes: 0, understood: 0 }
    }

    /// Of a server that is to answer a handshake.
    pub(super) fn of_server(stream: S) -> Self {
        Heard { frames: Frames::of_server(), ..Heard::of_client(stream, Bytes::new()) }
    }

    /// Reads what is there; ready when something is to be handed on, be it the end or an error.
    pub(super) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncRead + Unpin,
    {
        if self.before.is_empty() && self.stopped.is_none() {
            // The buffer of whoever has nothing to say: it costs a connection nothing.
            let mut buffer = [MaybeUninit::uninit(); AHEAD];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            self.before = Bytes::copy_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(()))
    }

    /// Everything that was read has been handed on, and is whole messages.
    pub(super) fn is_between_messages(&self) -> bool {
        self.before.is_empty() && self.stopped.is_none() && self.frames.are_whole()
    }

    /// The stream, for who does not want to understand it any more.
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of the message that has begun and is not whole.
    pub(super) fn underway(&self) -> Option<u32> {
        self.frames.underway()
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
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(stopped) = &this.stopped {
            return Poll::Ready(Err(stopped.clone().into()));
        }
        let before = into.filled().len();
        if this.before.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(context, into))?;
        } else {
            let part = this.before.len().min(into.remaining());
            into.put_slice(&this.before[..part]);
            this.before.advance(part);
            if this.before.is_empty() {
                // An empty part keeps the whole of it.
                this.before = Bytes::new();
            }
        }
        if let Some(head) = this.frames.head(&into.filled()[before..]) {
            // Who shakes hands gets that, and who comes after it what follows.
            let mut rest = BytesMut::from(&into.filled()[before + head..]);
            rest.extend_from_slice(&this.before);
            this.before = rest.freeze();
            into.set_filled(before + head);
            this.bytes += head as u64;
            return Poll::Ready(Ok(()));
        }
        if let Err((good, stopped)) = this.frames.follow(&into.filled()[before..]) {
            into.set_filled(before + good);
            if good == 0 {
                // Reading nothing would be the end of the stream.
                this.stopped = Some(stopped.clone());
                return Poll::Ready(Err(stopped.into()));
            }
            this.stopped = Some(stopped);
        }
        this.bytes += (into.filled().len() - before) as u64;
        Poll::Ready(Ok(()))
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
