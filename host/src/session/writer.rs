//! The way out of a session: what the outbox has goes into the socket, is flushed once, and is told to the outbox as written.
//! What the end of it means for the connection is the session's matter.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::Message as Frame;

use super::socket::Socket;
use crate::closing::Closing;
use crate::connection::{Connection, Outgoing};
use crate::message::Message;
use crate::metrics::Metrics;

/// What is on its way out.
#[derive(Default)]
pub(super) struct Writer {
    /// Taken from the outbox, not yet given to the socket.
    outgoing: VecDeque<Message>,
    /// Given to the socket, not yet known to be written.
    unflushed: Option<usize>,
    /// Written since the outbox was last told.
    written: usize,
    /// The close that is due once the other end has taken what comes before it.
    close_behind: Option<Closing>,
    /// A ping of the other end is to be answered before it is read from again: pongs are in no outbox that could overflow.
    pong_owed: bool,
}

/// What the writer can not decide.
pub(super) enum Written {
    /// All is written, and the outbox wants the connection closed.
    Close(Closing),
    /// The outbox wants the connection closed, but the other end does not take what is queued before it.
    Stuck(Closing),
    /// A close is due at this time at the latest.
    CloseAt(Instant),
    /// The socket can not be written to.
    Broken(Error),
}

impl Writer {
    /// Moves the outbox into the socket until it is empty or the socket takes no more.
    pub(super) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut Socket<S>,
        connection: &Connection,
        metrics: &Metrics,
        context: &mut Context<'_>,
    ) -> Poll<Written> {
        loop {
            while let Some(message) = self.outgoing.pop_front() {
                match socket.poll_ready(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Written::Broken(error)),
                    Poll::Pending => {
                        self.outgoing.push_front(message);
                        return poll_stuck(connection, context);
                    }
                }
                metrics.messages_out.count();
                let frame = match message {
                    Message::Text(text) => Frame::Text(text),
                    Message::Binary(bytes) => Frame::Binary(bytes),
                };
                if let Err(error) = socket.start_send(frame) {
                    return Poll::Ready(Written::Broken(error));
                }
            }
            if let Some(bytes) = self.unflushed {
                match socket.poll_flush(context) {
                    Poll::Ready(Ok(())) => {
                        self.unflushed = None;
                        self.pong_owed = false;
                        self.written += bytes;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Written::Broken(error)),
                    Poll::Pending => return poll_stuck(connection, context),
                }
            }
            let written = std::mem::take(&mut self.written);
            match connection.poll_outgoing(context, written, &mut self.outgoing) {
                Poll::Ready(Outgoing::Messages(bytes)) => self.unflushed = Some(bytes),
                Poll::Ready(Outgoing::Close(closing)) => return Poll::Ready(Written::Close(closing)),
                Poll::Ready(Outgoing::CloseAt(when)) => return Poll::Ready(Written::CloseAt(when)),
                Poll::Pending => {
                    return self.close_behind.take().map_or(Poll::Pending, |it| Poll::Ready(Written::Close(it)));
                }
            }
        }
    }

    /// Gives back what a burst has made large, if the socket is not in use; false if there is nothing to give back.
    pub(super) fn rest<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut Socket<S>,
        connection: &Connection,
    ) -> bool {
        if socket.rest() {
            self.outgoing.shrink_to_fit();
            connection.rest();
        }
        socket.is_awake()
    }

    /// A frame that no outbox knows of has been given to the socket.
    pub(super) fn flush_soon(&mut self) {
        self.unflushed.get_or_insert(0);
    }

    /// A pong lies in the socket; until it is written, [`owes_a_pong`](Self::owes_a_pong).
    pub(super) fn owe_a_pong(&mut self) {
        self.pong_owed = true;
        self.flush_soon();
    }

    pub(super) fn owes_a_pong(&self) -> bool {
        self.pong_owed
    }

    /// Whether the socket has taken all that it was given.
    pub(super) fn is_flushed(&self) -> bool {
        self.unflushed.is_none()
    }

    /// Closes when what is queued has been written.
    pub(super) fn close_behind(&mut self, closing: Closing) {
        self.close_behind = Some(closing);
    }

    /// The close that was to come behind what is queued, and does not any more.
    pub(super) fn take_close(&mut self) -> Option<Closing> {
        self.close_behind.take()
    }
}

fn poll_stuck(connection: &Connection, context: &mut Context<'_>) -> Poll<Written> {
    match connection.close_behind(context) {
        Some(Outgoing::Close(closing)) => Poll::Ready(Written::Stuck(closing)),
        Some(Outgoing::CloseAt(when)) => Poll::Ready(Written::CloseAt(when)),
        Some(Outgoing::Messages(_)) | None => Poll::Pending,
    }
}
