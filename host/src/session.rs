//! One WebSocket from its handshake to its end: frames in become work for the instance, the outbox becomes frames out, and
//! pings keep silence apart from death. tungstenite is known here (and, as the type of a text, in `message`).
//!
//! A session is one task. It takes all that is readable before it waits, and writes all that is queued before it flushes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message as Frame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error};

use crate::config::Config;
use crate::connection::{Connection, Outgoing};
use crate::controller::Seat;
use crate::ids::ConnectionKey;
use crate::mailbox::Work;
use crate::message::{Closing, Message};
use crate::metrics::Metrics;

mod ending;

pub(crate) use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// How much tungstenite collects before it writes without being told to flush.
const WRITE_BUFFER: usize = 16 * 1024;

/// One open WebSocket.
pub(crate) struct Session<S> {
    socket: WebSocketStream<S>,
    connection: Arc<Connection>,
    seat: Seat,
    settings: Arc<Config>,
    metrics: Arc<Metrics>,
    /// Taken from the outbox, not yet given to the socket.
    outgoing: VecDeque<Message>,
    /// Given to the socket, not yet known to be written.
    unflushed: Option<usize>,
    /// Written since the outbox was last told.
    written: usize,
    /// What this side has sent a close frame with.
    closing: Option<Closing>,
    /// What this side would send a close frame with, if the client took what comes before it.
    stuck_before: Option<Closing>,
    timer: Pin<Box<Sleep>>,
    last_heard: Instant,
    last_ping: Instant,
    /// The client broke the protocol: nothing is read any more, and this is what it will be closed with.
    failing: Option<Closing>,
    /// A close is due then: the drain's, or the end of our patience with a client that does not answer ours.
    close_due: Option<Instant>,
}

/// What a session can be woken by.
enum Event {
    /// The client sent something, or the stream is at its end.
    Incoming(Option<Result<Frame, Error>>),
    /// The outbox wants the connection closed.
    Close(Closing),
    /// The socket can not be written to.
    Broken(Error),
    /// There is something to close with, but the client does not take what is queued before it.
    Stuck(Closing),
    /// A deadline has passed.
    Time,
}

/// How a session ends.
struct End {
    closing: Closing,
    /// A close frame of ours is still to be sent.
    send: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Makes a session of an upgraded stream; `read` is what was read of it beyond the handshake.
    pub(crate) async fn new(stream: S, read: Vec<u8>, connection: Arc<Connection>, seat: Seat) -> Self {
        let environment = &seat.class.environment;
        let settings = Arc::clone(&environment.settings);
        let config = WebSocketConfig::default()
            .read_buffer_size(settings.read_buffer)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(settings.max_message))
            .max_frame_size(Some(settings.max_frame.min(settings.max_message)));
        let now = Instant::now();
        Session {
            socket: WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await,
            metrics: Arc::clone(&environment.metrics),
            connection,
            outgoing: VecDeque::new(),
            unflushed: None,
            written: 0,
            closing: None,
            stuck_before: None,
            timer: Box::pin(tokio::time::sleep_until(now + settings.ping_interval)),
            last_heard: now,
            last_ping: now,
            failing: None,
            close_due: None,
            settings,
            seat,
        }
    }

    /// Serves the socket until it is closed, and tells the instance.
    pub(crate) async fn run(mut self: Box<Self>) {
        self.metrics.connections.count();
        self.metrics.connections_opened.count();
        let end = loop {
            let event = self.next_event().await;
            if let Some(end) = self.handle_event(event) {
                break end;
            }
        };
        self.connection.end(&end.closing);
        self.metrics.connections.uncount();
        let (code, reason) = (end.closing.code, &end.closing.reason);
        if end.closing == Closing::slow_client() {
            tracing::info!(controller = %self.seat.class.name, connection = %self.connection.id, code, reason, "closed");
        } else {
            tracing::debug!(code, reason, "closed");
        }
        self.seat.put(Work::Close { connection: self.key(), closing: end.closing.clone() });
        let Session { socket, seat, settings, .. } = *self;
        // The instance need not wait for the network.
        drop(seat);
        let farewell = end.send.then_some(end.closing);
        Box::pin(ending::finish(socket, farewell, settings.close_timeout)).await;
    }

    /// The only place where a session waits.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what has been taken from a queue or from the socket is either in the event or in the session.
    async fn next_event(&mut self) -> Event {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// The only place that decides what an event means.
    fn handle_event(&mut self, event: Event) -> Option<End> {
        match event {
            Event::Incoming(Some(Ok(frame))) => self.incoming(frame),
            Event::Incoming(Some(Err(error))) => self.failed(&error),
            Event::Incoming(None) => Some(self.ended(Closing::no_status())),
            Event::Close(closing) => self.start_close(closing),
            Event::Broken(error) => Some(self.lost(&error)),
            Event::Stuck(closing) => self.stuck(closing),
            Event::Time => self.on_time(),
        }
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(event) = self.poll_out(context) {
            return Poll::Ready(event);
        }
        // After our close frame only the client's matters; what else still arrives is read and dropped.
        if self.failing.is_none()
            && (self.closing.is_some() || self.connection.may_read(context))
            && let Poll::Ready(incoming) = Pin::new(&mut self.socket).poll_next(context)
        {
            return Poll::Ready(Event::Incoming(incoming));
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(Event::Time)
    }

    /// Moves the outbox into the socket until it is empty or the socket takes no more.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        loop {
            while let Some(message) = self.outgoing.pop_front() {
                match Pin::new(&mut self.socket).poll_ready(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Event::Broken(error)),
                    Poll::Pending => {
                        self.outgoing.push_front(message);
                        return self.poll_stuck(context);
                    }
                }
                self.metrics.messages_out.count();
                let frame = match message {
                    Message::Text(text) => Frame::Text(text),
                    Message::Binary(bytes) => Frame::Binary(bytes),
                };
                if let Err(error) = Pin::new(&mut self.socket).start_send(frame) {
                    return Poll::Ready(Event::Broken(error));
                }
            }
            if let Some(bytes) = self.unflushed {
                match Pin::new(&mut self.socket).poll_flush(context) {
                    Poll::Ready(Ok(())) => {
                        self.unflushed = None;
                        self.written += bytes;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Event::Broken(error)),
                    Poll::Pending => return self.poll_stuck(context),
                }
            }
            let written = std::mem::take(&mut self.written);
            match ready!(self.connection.poll_outgoing(context, written, &mut self.outgoing)) {
                Outgoing::Messages(bytes) => self.unflushed = Some(bytes),
                Outgoing::Close(closing) => return Poll::Ready(Event::Close(closing)),
                Outgoing::CloseAt(when) => self.wake_at(when),
            }
        }
    }

    fn poll_stuck(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        match self.connection.close_behind(context) {
            Some(closing) if self.stuck_before.as_ref() != Some(&closing) => Poll::Ready(Event::Stuck(closing)),
            _ => Poll::Pending,
        }
    }

    /// A slow client is given up at once; another close waits for the client to take what comes before it.
    fn stuck(&mut self, closing: Closing) -> Option<End> {
        if closing == Closing::slow_client() {
            return Some(End { closing, send: true });
        }
        self.stuck_before = Some(closing);
        self.wake_at(Instant::now() + self.settings.close_timeout);
        None
    }

    fn incoming(&mut self, frame: Frame) -> Option<End> {
        self.last_heard = Instant::now();
        if self.closing.is_some() && !frame.is_close() {
            return None;
        }
        let message = match frame {
            Frame::Text(text) => Message::Text(text),
            Frame::Binary(bytes) => Message::Binary(bytes),
            Frame::Close(frame) => {
                let theirs = frame.map_or_else(Closing::no_status, closing);
                return Some(self.ended(theirs));
            }
            // tungstenite has queued the pong of a ping; it goes out with the next read or flush.
            Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => return None,
        };
        self.metrics.messages_in.count();
        self.connection.message_waits(message.len());
        self.seat.put(Work::Receive { from: self.key(), message });
        None
    }

    /// Sends our close frame and gives the client some time to answer it.
    fn start_close(&mut self, closing: Closing) -> Option<End> {
        if self.failing.is_some() {
            return Some(End { closing, send: true });
        }
        let frame = Frame::Close(Some(close_frame(&closing)));
        if let Err(error) = Pin::new(&mut self.socket).start_send(frame) {
            return Some(self.lost(&error));
        }
        self.unflushed = Some(0);
        self.closing = Some(closing);
        self.wake_at(Instant::now() + self.settings.close_timeout);
        None
    }

    fn on_time(&mut self) -> Option<End> {
        let now = Instant::now();
        if self.close_due.is_some_and(|due| due <= now) {
            self.close_due = None;
            if let Some(closing) = self.failing.take() {
                return Some(End { closing, send: true });
            }
            if let Some(closing) = self.closing.take().or_else(|| self.stuck_before.take()) {
                return Some(End { closing, send: false });
            }
            // The drain's: the outbox has the close, and poll_out finds it due.
        }
        if now >= self.last_heard + self.settings.idle_timeout {
            self.metrics.idle_closed.count();
            return Some(End { closing: Closing::abnormal("nothing heard for idle-timeout"), send: false });
        }
        let ping_due = self.last_heard.max(self.last_ping) + self.settings.ping_interval;
        if now >= ping_due && self.closing.is_none() {
            self.last_ping = now;
            if self.unflushed.is_none() {
                // A socket that takes nothing is not asked to take a ping as well.
                self.metrics.pings_out.count();
                if let Err(error) = Pin::new(&mut self.socket).start_send(Frame::Ping(Bytes::new())) {
                    return Some(self.lost(&error));
                }
                self.unflushed = Some(0);
            }
        }
        self.set_timer(now);
        None
    }

    fn wake_at(&mut self, when: Instant) {
        self.close_due = Some(self.close_due.map_or(when, |due| due.min(when)));
        self.set_timer(Instant::now());
    }

    fn set_timer(&mut self, now: Instant) {
        let ping = self.last_heard.max(self.last_ping) + self.settings.ping_interval;
        let idle = self.last_heard + self.settings.idle_timeout;
        let mut next = ping.min(idle);
        if let Some(due) = self.close_due {
            next = next.min(due);
        }
        // Never in the past: a timer that is due already would make a busy loop.
        self.timer.as_mut().reset(next.max(now + Duration::from_millis(1)));
    }

    /// The close that counts: ours if we were first.
    fn ended(&mut self, theirs: Closing) -> End {
        End { closing: self.closing.take().unwrap_or(theirs), send: false }
    }

    /// The stream is of no use any more. If the client is still there, it gets the answers to what it said before, and
    /// then learns what was wrong.
    fn failed(&mut self, error: &Error) -> Option<End> {
        use tokio_tungstenite::tungstenite::error::ProtocolError;
        let code = match error {
            Error::Capacity(_) => 1009,
            Error::Utf8(_) => 1007,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Some(self.lost(error)),
            Error::Protocol(_) => 1002,
            _ => return Some(self.lost(error)),
        };
        if self.closing.is_some() {
            return Some(self.lost(error));
        }
        let mut reason = error.to_string();
        reason.truncate(reason.floor_char_boundary(Closing::REASON_LIMIT));
        let closing = Closing { code, reason };
        self.failing = Some(closing.clone());
        self.seat.put(Work::Hangup { connection: self.key(), closing });
        // The instance may be far behind, or the object gone.
        self.wake_at(Instant::now() + self.settings.close_timeout);
        None
    }

    fn lost(&mut self, error: &Error) -> End {
        self.ended(Closing::abnormal(&error.to_string()))
    }

    fn key(&self) -> ConnectionKey {
        self.connection.id.key()
    }
}

fn closing(frame: CloseFrame) -> Closing {
    Closing { code: frame.code.into(), reason: frame.reason.to_string() }
}

fn close_frame(closing: &Closing) -> CloseFrame {
    CloseFrame { code: closing.code.into(), reason: closing.reason.as_str().into() }
}
