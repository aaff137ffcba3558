//! One WebSocket from its handshake to its end: frames in become work for the instance, the outbox becomes frames out, and
//! pings keep silence apart from death. tungstenite is known here (and, as the type of a text, in `message`).
//!
//! A session is one task. It takes all that is readable before it waits, and writes all that is queued before it flushes.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::Message as Frame;
use tokio_tungstenite::tungstenite::{Bytes, Error};

use crate::bucket::Rate;
use crate::clients::{Limit, Visitor};
use crate::closing::{CloseCause, Closing};
use crate::config::Config;
use crate::connection::Connection;
use crate::controller::Seat;
use crate::ids::ConnectionKey;
use crate::mailbox::Work;
use crate::message::Message;
use crate::metrics::Metrics;

mod client;
mod deadlines;
mod ending;
mod frames;
mod heard;
mod pace;
mod socket;
mod underway;
mod writer;

pub(crate) use self::client::{NotAgreed, shake_hands};
use self::deadlines::{Deadlines, Passed};
use self::ending::{Meaning, close_frame};
pub(crate) use self::frames::stopped;
use self::pace::{Pace, Read};
pub(crate) use self::socket::Socket;
use self::underway::Underway;
use self::writer::{Writer, Written};
pub(crate) use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Frames that are read before others get their turn. A buffer full of tiny frames needs no system call, so the runtime's own
/// measure of fairness does not see them.
const FRAMES_IN_A_ROW: u32 = 64;

/// One open WebSocket.
pub(crate) struct Session<S> {
    socket: Socket<S>,
    connection: Arc<Connection>,
    seat: Seat,
    /// None: the other end is a server that the controller has called.
    visitor: Option<Visitor>,
    settings: Arc<Config>,
    metrics: Arc<Metrics>,
    writer: Writer,
    /// What this side has sent a close frame with.
    closing: Option<Closing>,
    /// Frames read without a pause.
    in_a_row: u32,
    /// Bytes heard when it was last looked at.
    bytes_heard: u64,
    underway: Underway,
    deadlines: Deadlines,
    pace: Pace,
    /// The client broke the protocol: nothing is read any more, and this is what it will be closed with.
    failing: Option<Closing>,
}

/// What a session can be woken by.
enum Event {
    /// The client sent something, or the stream is at its end.
    Incoming(Option<Result<Frame, Error>>),
    /// The way out has come to an end.
    Written(Written),
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
    pub(crate) fn new(socket: Socket<S>, connection: Arc<Connection>, seat: Seat, visitor: Option<Visitor>) -> Self {
        let environment = &seat.class.environment;
        let settings = Arc::clone(&environment.settings);
        Session {
            socket,
            metrics: Arc::clone(&environment.metrics),
            connection,
            writer: Writer::default(),
            closing: None,
            in_a_row: 0,
            bytes_heard: 0,
            underway: Underway::default(),
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
        self.record(&end.closing);
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
            Event::Incoming(None) => Some(self.ended(Closing::by_peer(None))),
            Event::Written(Written::Close(closing)) => self.start_close(closing),
            Event::Written(Written::Stuck(closing)) => self.stuck(closing),
            Event::Written(Written::CloseAt(when)) => {
                self.deadlines.close_at(when);
                None
            }
            Event::Written(Written::Broken(error)) => Some(self.lost(&error)),
            Event::Time => self.on_time(),
        }
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(written) = self.writer.poll(&mut self.socket, &self.connection, &self.metrics, context) {
            return Poll::Ready(Event::Written(written));
        }
        if self.reads(context) {
            if self.in_a_row < FRAMES_IN_A_ROW {
                if let Poll::Ready(incoming) = self.socket.poll_next(context) {
                    self.in_a_row += 1;
                    return Poll::Ready(Event::Incoming(incoming));
                }
                if self.socket.heard.is_padded(self.settings.max_message) {
                    return Poll::Ready(Event::Incoming(Some(Err(socket::padded(&self.settings)))));
                }
            } else {
                context.waker().wake_by_ref();
            }
        }
        self.in_a_row = 0;
        // Nothing is kept for the next burst longer than needed.
        if self.writer.rest(&mut self.socket, &self.connection) {
            self.deadlines.look_again();
        }
        // After each pause in reading, so that no client can keep the deadlines from being looked at.
        ready!(self.deadlines.poll(context));
        Poll::Ready(Event::Time)
    }

    /// Whether the client is read from. After our close frame everything is read, and dropped, for the sake of its answer.
    fn reads(&mut self, context: &mut Context<'_>) -> bool {
        if self.failing.is_some() || self.writer.owes_a_pong() {
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

    /// A slow client is given up at once; another close waits for the client to take what comes before it.
    fn stuck(&mut self, closing: Closing) -> Option<End> {
        if closing.cause() == CloseCause::SlowClient {
            return Some(End { closing, send: true });
        }
        self.writer.close_behind(closing);
        self.deadlines.close_within(self.settings.close_timeout);
        None
    }

    fn incoming(&mut self, frame: Frame) -> Option<End> {
        self.deadlines.heard();
        self.socket.heard.understand(&frame);
        if self.closing.is_some() && !frame.is_close() {
            // A client that never lets its socket run dry keeps the timer from being looked at.
            return if self.deadlines.close_is_due() { self.on_time() } else { None };
        }
        let message = match frame {
            Frame::Text(text) => Message::Text(text),
            Frame::Binary(bytes) => Message::Binary(bytes),
            Frame::Close(frame) => {
                // tungstenite has the answer ready; the last flush sends it.
                return Some(self.ended(ending::theirs(frame)));
            }
            Frame::Ping(_) => {
                self.pace.spend();
                // tungstenite has the pong ready; a flush sends it.
                self.writer.owe_a_pong();
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
        if let Err(error) = self.socket.start_send(frame) {
            return Some(self.lost(&error));
        }
        self.writer.flush_soon();
        self.closing = Some(closing);
        self.deadlines.close_within(self.settings.close_timeout);
        None
    }

    fn on_time(&mut self) -> Option<End> {
        if self.deadlines.look_is_due() {
            self.socket.look();
        }
        let bytes_heard = self.socket.heard.bytes();
        if bytes_heard != self.bytes_heard || !self.connection.has_room() || self.pace.is_waiting() {
            // A long frame is on its way; or the client is silent because it is not read from.
            self.bytes_heard = bytes_heard;
            self.deadlines.doubt();
        }
        if self.closing.is_none() && self.failing.is_none() && self.is_message_too_slow() {
            return Some(End { closing: Closing::of(CloseCause::SlowMessage), send: true });
        }
        match self.deadlines.passed() {
            Passed::Close => match self.failing.take() {
                Some(closing) => Some(End { closing, send: true }),
                // Neither: it is the drain's moment, and the outbox has the close.
                None => {
                    let closing = self.closing.take().or_else(|| self.writer.take_close());
                    closing.map(|closing| End { closing, send: false })
                }
            },
            Passed::Idle => Some(End { closing: Closing::of(CloseCause::Idle), send: false }),
            Passed::Ping => self.ping(),
            Passed::None => None,
        }
    }

    fn is_message_too_slow(&mut self) -> bool {
        let heard = &self.socket.heard;
        // Who is not read from is slow by our doing.
        let is_read = self.connection.has_room() && !self.pace.is_waiting();
        let message = heard.underway().filter(|_| is_read);
        let pace = underway::Pace { time: self.settings.body_timeout, rate: self.settings.min_body_rate };
        let too_slow = self.underway.is_too_slow(message, heard.bytes(), &pace);
        if too_slow {
            self.met(Limit::SlowMessage);
        }
        too_slow
    }

    fn ping(&mut self) -> Option<End> {
        if !self.writer.is_flushed() {
            // A socket that takes nothing is not asked to take a ping as well.
            return None;
        }
        self.metrics.pings_out.count();
        self.writer.flush_soon();
        let sent = self.socket.start_send(Frame::Ping(Bytes::new()));
        sent.err().map(|error| self.lost(&error))
    }

    /// The close that counts: ours if we were first.
    fn ended(&mut self, theirs: Closing) -> End {
        End { closing: self.closing.take().unwrap_or(theirs), send: false }
    }

    /// The stream is of no use any more. If the client is still there, it gets the answers to what it said before, and
    /// then learns what was wrong.
    fn failed(&mut self, error: &Error) -> Option<End> {
        let closing = match ending::meaning(error) {
            // tungstenite knows of no close, so that the answer is this side's to give.
            Meaning::Closed(theirs) => {
                let send = self.closing.is_none();
                return Some(End { send, ..self.ended(theirs) });
            }
            Meaning::Wrong(closing) if self.closing.is_none() => closing,
            Meaning::Wrong(_) | Meaning::Lost => return Some(self.lost(error)),
        };
        if let Some(limit) = closing.cause().limit() {
            self.met(limit);
        }
        self.failing = Some(closing.clone());
        self.seat.put(Work::Hangup { connection: self.key(), closing });
        // The instance may be far behind, or the object gone.
        self.deadlines.close_within(self.settings.close_timeout);
        None
    }

    /// Counts and logs the end.
    fn record(&self, closing: &Closing) {
        let (cause, class) = (closing.cause(), &self.seat.class);
        cause.count(&self.metrics);
        if cause == CloseCause::SlowClient {
            class.outbox_was_full();
        }
        let Closing { code, reason, .. } = closing;
        if cause.is_news() {
            tracing::info!(controller = %class.name, connection = %self.connection.id, code, reason, "closed");
        } else {
            tracing::debug!(?cause, code, reason, "closed");
        }
    }

    fn lost(&mut self, error: &Error) -> End {
        self.ended(Closing::with(CloseCause::Lost, &error.to_string()))
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
