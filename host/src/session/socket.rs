//! The socket of a session, whichever side has begun it: tungstenite over a stream that is polled. What tungstenite needs to
//! read and write frames is there only while it is used: a connection in silence has no buffers.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Message as Frame, Role, WebSocketConfig, WebSocketContext};

use super::heard::Heard;
use crate::config::Config;

/// How much tungstenite collects before it writes without being told to flush.
const WRITE_BUFFER: usize = 16 * 1024;

/// A message over this leaves buffers behind that are not kept for the next one: making them again is little beside filling them.
const LARGE: usize = 64 * 1024;

/// A WebSocket whose handshake is done.
pub(crate) struct Socket<S> {
    pub(super) heard: Heard<S>,
    settings: Arc<Config>,
    role: Role,
    /// None: nothing is on its way in or out, and nothing has been for a while.
    protocol: Option<Box<WebSocketContext>>,
    /// The stream has come to its end, in whatever way.
    ended: bool,
    /// More is not to be sent before a flush.
    blocked: bool,
    /// All that was there has been read.
    dry: bool,
    /// All that was sent has been written.
    flushed: bool,
    /// A message has come or gone since the last look.
    used: bool,
    /// None had when it was last looked.
    quiet: bool,
    /// A large one has come or gone since the buffers were made.
    large: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Of an upgraded stream; `read` is what was read of it beyond the handshake.
    pub(crate) fn accepted(stream: S, read: Bytes, settings: &Arc<Config>) -> Self {
        Socket::new(Heard::of_client(stream, read), Role::Server, settings)
    }

    /// Of a stream whose handshake is read.
    pub(super) fn new(heard: Heard<S>, role: Role, settings: &Arc<Config>) -> Self {
        let settings = Arc::clone(settings);
        let (protocol, ended, blocked, dry, flushed) = (None, false, false, true, true);
        let (used, quiet, large) = (false, true, false);
        Socket { heard, settings, role, protocol, ended, blocked, dry, flushed, used, quiet, large }
    }

    /// The next frame; none after the end.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.protocol.is_none()
            && let Err(error) = ready!(self.heard.poll_ahead(context))
        {
            self.ended = true;
            return Poll::Ready(Some(Err(Error::Io(error))));
        }
        let read = self.with_protocol(context, |protocol, stream| protocol.read(stream));
        self.dry = read.is_pending();
        Poll::Ready(match ready!(read) {
            Ok(frame) => {
                match &frame {
                    Frame::Pong(_) => {}
                    // The answer lies in tungstenite.
                    Frame::Ping(_) | Frame::Close(_) => self.flushed = false,
                    _ => self.use_for(&frame),
                }
                Some(Ok(frame))
            }
            Err(error) => {
                self.ended = true;
                let over = matches!(error, Error::AlreadyClosed | Error::ConnectionClosed);
                (!over).then_some(Err(error))
            }
        })
    }

    /// Ready when a frame may be sent.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.blocked { self.poll_flush(context) } else { Poll::Ready(Ok(())) }
    }

    /// Takes a frame; it is on its way when it has been flushed, which is the sender's to see to.
    pub(super) fn start_send(&mut self, frame: Frame) -> Result<(), Error> {
        self.flushed = false;
        if !frame.is_ping() {
            self.use_for(&frame);
        }
        // A stream that takes no more now is asked by the flush again, and wakes the task of that.
        let mut nobody = Context::from_waker(Waker::noop());
        match self.with_protocol(&mut nobody, |protocol, stream| protocol.write(stream, frame)) {
            Poll::Ready(sent) => {
                self.blocked = false;
                sent
            }
            // It was taken, all the same.
            Poll::Pending => {
                self.blocked = true;
                Ok(())
            }
        }
    }

    /// Ready when all that was sent has been written.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.protocol.is_none() {
            return Poll::Ready(Ok(()));
        }
        let flushed = ready!(self.with_protocol(context, |protocol, stream| protocol.flush(stream)));
        self.blocked = false;
        match flushed {
            // That was the last of it.
            Ok(()) | Err(Error::ConnectionClosed) => {
                self.flushed = true;
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    pub(super) async fn send(&mut self, frame: Frame) -> Result<(), Error> {
        std::future::poll_fn(|context| self.poll_ready(context)).await?;
        self.start_send(frame)?;
        self.flush().await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        std::future::poll_fn(|context| self.poll_flush(context)).await
    }

    /// Whether it holds buffers.
    pub(super) fn is_awake(&self) -> bool {
        self.protocol.is_some()
    }

    fn use_for(&mut self, frame: &Frame) {
        self.used = true;
        self.large |= frame.len() > LARGE;
    }

    /// Looks whether a message has come or gone since the last look.
    pub(super) fn look(&mut self) {
        self.quiet = !std::mem::take(&mut self.used);
    }

    /// Gives its buffers back if nothing is in them and no message has come or gone for a while, or one that was large; true if
    /// it did. Between messages there is nothing that tungstenite would have to remember.
    pub(super) fn rest(&mut self) -> bool {
        let unused = self.quiet && !self.used;
        if !(unused || self.large) || !self.dry || !self.flushed || self.ended || !self.heard.is_between_messages() {
            return false;
        }
        // What a close has begun is to be remembered.
        let rests = self.protocol.take_if(|protocol| protocol.can_write()).is_some();
        self.large &= !rests;
        rests
    }

    fn with_protocol<T>(
        &mut self,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut WebSocketContext, &mut Polled<'_, '_, S>) -> Result<T, Error>,
    ) -> Poll<Result<T, Error>> {
        let (role, settings) = (self.role, &self.settings);
        let protocol =
            self.protocol.get_or_insert_with(|| Box::new(WebSocketContext::new(role, Some(config(settings)))));
        match act(protocol, &mut Polled { stream: &mut self.heard, context }) {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            result => Poll::Ready(result),
        }
    }
}

/// A stream as tungstenite wants it: what can not be done now is an error, and wakes the task when it can.
struct Polled<'a, 'b, S> {
    stream: &'a mut Heard<S>,
    context: &'a mut Context<'b>,
}

impl<S: AsyncRead + Unpin> Read for Polled<'_, '_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut into = ReadBuf::new(into);
        done(Pin::new(&mut *self.stream).poll_read(self.context, &mut into))?;
        Ok(into.filled().len())
    }
}

impl<S: AsyncWrite + Unpin> Write for Polled<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        done(Pin::new(&mut *self.stream).poll_write(self.context, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        done(Pin::new(&mut *self.stream).poll_flush(self.context))
    }
}

fn done<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// What is said of a message that is longer in fragments than any can be that has something in each.
pub(super) fn padded(settings: &Config) -> Error {
    let (size, max_size) = (settings.max_message + 1, settings.max_message);
    Error::Capacity(CapacityError::MessageTooLong { size, max_size })
}

pub(super) fn config(settings: &Config) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(settings.read_buffer)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(settings.max_message))
        .max_frame_size(Some(settings.max_frame.min(settings.max_message)))
}

#[cfg(test)]
mod tests;
