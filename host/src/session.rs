//! One WebSocket from its handshake to its end: frames in become work for the instance, the outbox becomes frames out, and
//! pings keep silence apart from death. tungstenite is known here (and, as the type of a text, in `message`).
//!
//! A session is one task. It takes all that is readable before it waits, and writes all that is queued before it flushes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Message as Frame;
use tokio_tungstenite::tungstenite::{Bytes, Error};

use crate::bucket::Rate;
use crate::clients::{Limit, Visitor};
use crate::config::Config;
use crate::connection::{Connection, Outgoing};
use crate::controller::Seat;
use crate::ids::ConnectionKey;
use crate::mailbox::Work;
use crate::message::{Closing, Message};
use crate::metrics::Metrics;
use crate::text::cut;

mod client;
mod deadlines;
mod ending;
mod heard;
mod pace;
mod socket;

pub(crate) use self::client::{NotAgreed, shake_hands};
use self::deadlines::{Deadlines, Passed};
use self::ending::close_frame;
use self::heard::Heard;
use self::pace::{Pace, Read};
pub(crate) use self::socket::Socket;
pub(crate) use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Frames that are read before others get their turn. A buffer full of tiny frames needs no system call, so the runtime's own
/// measure of fairness does not see them.
const FRAMES_IN_A_ROW: u32 = 64;

/// One open WebSocket.
pub(crate) struct Session<S> {
    socket: WebSocketStream<Heard<S>>,
    connection: Arc<Connection>,
    seat: Seat,
    /// None: the other end is a server that the controller has called.
    visitor: Option<Visitor>,
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
    /// What this side will send a close frame with, once the client has taken what comes before it.
    close_behind: Option<Closing>,
    /// A ping of the client is to be answered before it is read from again: pongs are in no outbox that could overflow.
    pong_owed: bool,
    /// Frames read without a pause.
    in_a_row: u32,
    /// Bytes heard when it was last looked at.
    bytes_heard: u64,
    deadlines: Deadlines,
    pace: Pace,
    /// The client broke the protocol: nothing is read any more, and this is what it will be closed with.
    failing: Option<Closing>,
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
    /// Makes a session of a socket whose handshake is done, whichever side has begun it.
    pub(crate) fn new(
        Socket(socket): Socket<S>,
        connection: Arc<Connection>,
        seat: Seat,
        visitor: Option<Visitor>,
    ) -> Self {
        let environment = &seat.class.environment;
        let settings = Arc::clone(&environment.settings);
        Session {
            socket,
            metrics: Arc::clone(&environment.metrics),
            connection,
            outgoing: VecDeque::new(),
            unflushed: None,
            written: 0,
            closing: None,
            close_behind: None,
            pong_owed: false,
            in_a_row: 0,
            bytes_heard: 0,
            deadlines: Deadlines::new(settings.ping_interval, settings.idle_timeout),
            pace: Pace::new(Rate { per_second: settings.max_messages_per_second, burst: settings.message_burst }),
            failing: None,
            settings,
            seat,
            visitor,
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
            self.metrics.slow_clients.count();
            self.seat.class.outbox_was_full();
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
        if self.reads(context) {
            if self.in_a_row < FRAMES_IN_A_ROW {
                if let Poll::Ready(incoming) = Pin::new(&mut self.socket).poll_next(context) {
                    self.in_a_row += 1;
                    return Poll::Ready(Event::Incoming(incoming));
                }
                if self.socket.get_ref().is_padded(self.settings.max_message) {
                    return Poll::Ready(Event::Incoming(Some(Err(socket::padded(&self.settings)))));
                }
            } else {
                context.waker().wake_by_ref();
            }
        }
        self.in_a_row = 0;
        // After each pause in reading, so that no client can keep the deadlines from being looked at.
        ready!(self.deadlines.poll(context));
        Poll::Ready(Event::Time)
    }

    /// Whether the client is read from. After our close frame everything is read, and dropped, for the sake of its answer.
    fn reads(&mut self, context: &mut Context<'_>) -> bool {
        if self.failing.is_some() || self.pong_owed {
            return false;
        }
        self.closing.is_some() || (self.keeps_pace(context) && self.connection.may_read(context))
    }

    fn keeps_pace(&mut self, context: &mut Context<'_>) -> bool {
        let read = self.pace.poll(context);
        if read == Read::NotNow {
            self.met(Limit::Messages);
        }
        read == Read::Now
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
                        self.pong_owed = false;
                        self.written += bytes;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Event::Broken(error)),
                    Poll::Pending => return self.poll_stuck(context),
                }
            }
            let written = std::mem::take(&mut self.written);
            match self.connection.poll_outgoing(context, written, &mut self.outgoing) {
                Poll::Ready(Outgoing::Messages(bytes)) => self.unflushed = Some(bytes),
                Poll::Ready(Outgoing::Close(closing)) => return Poll::Ready(Event::Close(closing)),
                Poll::Ready(Outgoing::CloseAt(when)) => self.deadlines.close_at(when),
                Poll::Pending => {
                    return self.close_behind.take().map_or(Poll::Pending, |it| Poll::Ready(Event::Close(it)));
                }
            }
        }
    }

    fn poll_stuck(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        loop {
            match self.connection.close_behind(context) {
                Some(Outgoing::Close(closing)) => return Poll::Ready(Event::Stuck(closing)),
                Some(Outgoing::CloseAt(when)) => self.deadlines.close_at(when),
                Some(Outgoing::Messages(_)) | None => return Poll::Pending,
            }
        }
    }

    /// A slow client is given up at once; another close waits for the client to take what comes before it.
    fn stuck(&mut self, closing: Closing) -> Option<End> {
        if closing == Closing::slow_client() {
            return Some(End { closing, send: true });
        }
        self.close_behind = Some(closing);
        self.deadlines.close_within(self.settings.close_timeout);
        None
    }

    fn incoming(&mut self, frame: Frame) -> Option<End> {
        self.deadlines.heard();
        self.socket.get_mut().understand(&frame);
        if self.closing.is_some() && !frame.is_close() {
            // A client that never lets its socket run dry keeps the timer from being looked at.
            return if self.deadlines.close_is_due() { self.on_time() } else { None };
        }
        let message = match frame {
            Frame::Text(text) => Message::Text(text),
            Frame::Binary(bytes) => Message::Binary(bytes),
            Frame::Close(frame) => {
                let theirs = ending::theirs(frame, self.visitor.as_ref());
                return Some(self.ended(theirs));
            }
            Frame::Ping(_) => {
                self.pace.spend();
                // tungstenite has the pong ready; a flush sends it.
                self.pong_owed = true;
                self.unflushed.get_or_insert(0);
                return None;
            }
            Frame::Pong(_) | Frame::Frame(_) => {
                self.pace.spend();
                return None;
            }
        };
        self.pace.spend();
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
        self.unflushed.get_or_insert(0);
        self.closing = Some(closing);
        self.deadlines.close_within(self.settings.close_timeout);
        None
    }

    fn on_time(&mut self) -> Option<End> {
        let bytes_heard = self.socket.get_ref().bytes();
        if bytes_heard != self.bytes_heard || !self.connection.has_room() || self.pace.is_waiting() {
            // A long frame is on its way; or the client is silent because it is not read from.
            self.bytes_heard = bytes_heard;
            self.deadlines.doubt();
        }
        match self.deadlines.passed() {
            Passed::Close => match self.failing.take() {
                Some(closing) => Some(End { closing, send: true }),
                // Neither: it is the drain's moment, and the outbox has the close.
                None => {
                    self.closing.take().or_else(|| self.close_behind.take()).map(|closing| End { closing, send: false })
                }
            },
            Passed::Idle => {
                self.metrics.idle_closed.count();
                Some(End { closing: Closing::abnormal("nothing heard for idle-timeout"), send: false })
            }
            Passed::Ping => self.ping(),
            Passed::None => None,
        }
    }

    fn ping(&mut self) -> Option<End> {
        if self.unflushed.is_some() {
            // A socket that takes nothing is not asked to take a ping as well.
            return None;
        }
        self.metrics.pings_out.count();
        self.unflushed = Some(0);
        let sent = Pin::new(&mut self.socket).start_send(Frame::Ping(Bytes::new()));
        sent.err().map(|error| self.lost(&error))
    }

    /// The close that counts: ours if we were first.
    fn ended(&mut self, theirs: Closing) -> End {
        End { closing: self.closing.take().unwrap_or(theirs), send: false }
    }

    /// The stream is of no use any more. If the client is still there, it gets the answers to what it said before, and
    /// then learns what was wrong.
    fn failed(&mut self, error: &Error) -> Option<End> {
        let broken = ending::code(error).filter(|_| self.closing.is_none());
        let Some(code) = broken else { return Some(self.lost(error)) };
        self.met(if code == 1009 { Limit::Message } else { Limit::WebSocket });
        let closing = Closing::new(code, cut(&error.to_string(), Closing::REASON_LIMIT));
        self.failing = Some(closing.clone());
        self.seat.put(Work::Hangup { connection: self.key(), closing });
        // The instance may be far behind, or the object gone.
        self.deadlines.close_within(self.settings.close_timeout);
        None
    }

    fn lost(&mut self, error: &Error) -> End {
        self.ended(Closing::abnormal(&error.to_string()))
    }

    fn met(&self, limit: Limit) {
        if let Some(visitor) = &self.visitor {
            visitor.met(limit);
        }
    }

    fn key(&self) -> ConnectionKey {
        self.connection.id.key()
    }
}
