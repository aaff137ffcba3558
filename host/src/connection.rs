//! One living connection as its three users see it: the session that owns the socket, the instance that holds its object,
//! and the topics it is subscribed to. It is two bounded queues' bookkeeping and one waker; it knows no protocol.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::closing::{CloseCause, Closing};
use crate::ids::ConnectionId;
use crate::message::Message;

mod places;

pub(crate) use self::places::{ServedPlace, TimerPlace};

/// How many messages of one connection may wait for its instance; the session stops reading at this, and TCP slows the
/// client down. Enough to fill a batch, few enough that one client cannot crowd out the others of its instance.
const INBOX_MESSAGES: usize = 64;

/// How many bytes of one connection may wait for its instance, a last message beyond it included.
const INBOX_BYTES: usize = 256 * 1024;

/// What a message in the outbox counts for at least, in bytes, and how many may wait whatever they count for.
const SMALLEST: usize = 16;
const SPARE: usize = 64;

/// The shared state of one connection.
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// Set when the connection has left its topics for good; the topic table's lock guards it.
    pub(crate) topics_over: AtomicBool,
    /// How many topics it may be subscribed to; none: as many as the bus allows by itself.
    pub(crate) topics_limit: Option<usize>,
    /// There is no other end: it is the object of a service.
    pub(crate) nobody: bool,
    /// Its own object has closed it.
    pub(crate) let_go: AtomicBool,
    outbox: Mutex<Outbox>,
    outbox_limit: usize,
    waiting_messages: AtomicUsize,
    waiting_bytes: AtomicUsize,
    /// What its object is made anew from.
    saved: Mutex<Option<Bytes>>,
    /// Timers that will call its object.
    timers: AtomicUsize,
    /// Shared by the tasks that bring it what is in its mailboxes.
    served: Arc<()>,
    /// The session: woken when there is something to send, to close, or room to read on.
    session: AtomicWaker,
    /// Those who wait for messages to be written.
    written: Notify,
}

/// A place in the outbox: behind everything that has been queued so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Mark(u64);

impl Mark {
    /// Behind what will not be written.
    const NEVER: Mark = Mark(u64::MAX);
}

/// Why a message was not queued.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotQueued {
    /// The connection is closing or closed; also if it is this message that overflows the outbox, and closes a client that
    /// is too slow for it.
    Gone,
    /// The message alone is over the limit.
    TooLarge,
    /// There is nobody to send to.
    Nobody,
}

/// What the session is to do next, taken from the outbox.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Messages were moved to the caller's queue; together they have this many bytes.
    Messages(usize),
    /// Nothing more will come: close with this.
    Close(Closing),
    /// Come back at this time at the latest: a close is due then.
    CloseAt(Instant),
}

#[derive(Default)]
struct Outbox {
    queue: VecDeque<Message>,
    /// Queued here, or taken by the session and not yet written to the socket.
    bytes: usize,
    /// Behind what has been queued, what the session has taken, and what it has written to the socket.
    queued: Mark,
    taken: Mark,
    written: Mark,
    /// Something was refused because the connection was ending, and not because its own object had closed it.
    missed: bool,
    /// The session has ended.
    over: bool,
    closing: Option<Closing>,
    close_taken: bool,
    close_at: Option<(Instant, Closing)>,
    close_at_told: bool,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, outbox_limit: usize) -> Self {
        Connection {
            id,
            topics_over: AtomicBool::new(false),
            topics_limit: None,
            nobody: false,
            let_go: AtomicBool::new(false),
            outbox: Mutex::default(),
            outbox_limit,
            waiting_messages: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            saved: Mutex::default(),
            timers: AtomicUsize::new(0),
            served: Arc::default(),
            session: AtomicWaker::new(),
            written: Notify::new(),
        }
    }

    /// With a limit of topics of its own.
    pub(crate) fn with_topics(self, limit: usize) -> Self {
        Connection { topics_limit: Some(limit), ..self }
    }

    /// What a service's object has in the place of a connection.
    pub(crate) fn to_nobody(id: ConnectionId) -> Self {
        Connection { nobody: true, ..Connection::new(id, 0) }
    }

    /// Queues a message for the client, first in, first out.
    pub(crate) fn send(&self, message: Message) -> Result<(), NotQueued> {
        if self.nobody {
            return Err(NotQueued::Nobody);
        }
        let length = message.len();
        if length > self.outbox_limit {
            return Err(NotQueued::TooLarge);
        }
        let mut outbox = self.outbox();
        if outbox.closing.is_some() {
            outbox.missed |= !self.let_go.load(Ordering::Acquire);
            return Err(NotQueued::Gone);
        }
        // Each message has a cost of its own: without it empty ones would have no bound.
        if outbox.bytes + length > self.outbox_limit || outbox.queue.len() > self.outbox_limit / SMALLEST + SPARE {
            // What is queued can not be delivered in time any more; keeping it would only keep its memory.
            outbox.queue = VecDeque::new();
            outbox.closing = Some(Closing::of(CloseCause::SlowClient));
            outbox.missed = true;
            drop(outbox);
            self.session.wake();
            return Err(NotQueued::Gone);
        }
        outbox.bytes += length;
        outbox.queued.0 += 1;
        outbox.queue.push_back(message);
        let first = outbox.queue.len() == 1;
        drop(outbox);
        if first {
            self.session.wake();
        }
        Ok(())
    }

    /// Keeps what its object can be made anew from.
    pub(crate) fn save(&self, state: Bytes) {
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    pub(crate) fn saved(&self) -> Option<Bytes> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was kept is of no use.
    pub(crate) fn forget_saved(&self) {
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn has_saved(&self) -> bool {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Behind everything that was to be sent until now, even what was refused because the connection was ending.
    pub(crate) fn mark(&self) -> Mark {
        let outbox = self.outbox();
        if outbox.missed { Mark::NEVER } else { outbox.queued }
    }

    /// Waits until everything before `mark` has been written to the socket. False: the connection has ended before that.
    pub(crate) async fn written(&self, mark: Mark) -> bool {
        loop {
            let changed = self.written.notified();
            {
                let outbox = self.outbox();
                if outbox.written >= mark || outbox.over {
                    return outbox.written >= mark;
                }
            }
            changed.await;
        }
    }

    /// Waits until the session has ended.
    pub(crate) async fn ended(&self) {
        loop {
            let changed = self.written.notified();
            if self.outbox().over {
                return;
            }
            changed.await;
        }
    }

    /// In the place of a session, for a connection to nobody: waits for the close.
    pub(crate) async fn closes(&self) -> Closing {
        let mut nothing = VecDeque::new();
        let mut due = None;
        loop {
            let outgoing = std::future::poll_fn(|context| self.poll_outgoing(context, 0, &mut nothing));
            let next = match due {
                None => outgoing.await,
                Some(when) => match tokio::time::timeout_at(when, outgoing).await {
                    Ok(next) => next,
                    Err(_elapsed) => {
                        due = None;
                        continue;
                    }
                },
            };
            match next {
                Outgoing::Close(closing) => return closing,
                Outgoing::CloseAt(when) => due = Some(when),
                Outgoing::Messages(_) => {}
            }
        }
    }

    /// Whether it is closing or closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.outbox().closing.is_some()
    }

    /// Closes after what is queued; the first close wins.
    pub(crate) fn close(&self, closing: Closing) {
        let mut outbox = self.outbox();
        if outbox.closing.is_none() {
            outbox.closing = Some(closing);
            drop(outbox);
            self.session.wake();
        }
    }

    /// Closes at a later time, unless something else closes it first; the last call counts.
    pub(crate) fn close_at(&self, when: Instant, closing: Closing) {
        let mut outbox = self.outbox();
        outbox.close_at = Some((when, closing));
        outbox.close_at_told = false;
        drop(outbox);
        self.session.wake();
    }

    /// For the session alone, when all that it has taken before is written: moves what is queued to `into`. `written` is how
    /// many bytes of earlier ones have reached the socket since the last call.
    pub(crate) fn poll_outgoing(
        &self,
        context: &mut Context<'_>,
        written: usize,
        into: &mut VecDeque<Message>,
    ) -> Poll<Outgoing> {
        // Registered before looking: what comes after the look wakes.
        self.session.register(context.waker());
        let mut outbox = self.outbox();
        outbox.bytes -= written.min(outbox.bytes);
        if outbox.written < outbox.taken {
            outbox.written = outbox.taken;
            self.written.notify_waiters();
        }
        if !outbox.queue.is_empty() {
            let bytes = outbox.queue.iter().map(Message::len).sum();
            outbox.taken = outbox.queued;
            into.append(&mut outbox.queue);
            return Poll::Ready(Outgoing::Messages(bytes));
        }
        outbox.next_close().map_or(Poll::Pending, Poll::Ready)
    }

    /// For the session: gives back what a burst has made large.
    pub(crate) fn rest(&self) {
        let mut outbox = self.outbox();
        if outbox.queue.is_empty() {
            outbox.queue = VecDeque::new();
        }
    }

    /// For a session whose socket does not take what was written: the close, or its time, that lies behind it.
    pub(crate) fn close_behind(&self, context: &mut Context<'_>) -> Option<Outgoing> {
        self.session.register(context.waker());
        self.outbox().next_close()
    }

    /// The session has ended: later sends are refused, what waits is let go.
    pub(crate) fn end(&self, closing: &Closing) {
        let mut outbox = self.outbox();
        outbox.closing.get_or_insert_with(|| closing.clone());
        outbox.close_taken = true;
        outbox.over = true;
        outbox.queue = VecDeque::new();
        self.written.notify_waiters();
    }

    /// A message of the client has been handed to the instance's mailbox.
    pub(crate) fn message_waits(&self, bytes: usize) {
        self.waiting_messages.fetch_add(1, Ordering::AcqRel);
        self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    /// The instance is done with so many messages.
    pub(crate) fn messages_done(&self, number: usize, bytes: usize) {
        let bytes_before = self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
        let messages_before = self.waiting_messages.fetch_sub(number, Ordering::AcqRel);
        if (messages_before >= INBOX_MESSAGES && messages_before - number < INBOX_MESSAGES)
            || (bytes_before >= INBOX_BYTES && bytes_before - bytes < INBOX_BYTES)
        {
            self.session.wake();
        }
    }

    /// For the session alone: whether it may read on; if not, it is woken when it may.
    pub(crate) fn may_read(&self, context: &mut Context<'_>) -> bool {
        if self.has_room() {
            return true;
        }
        self.session.register(context.waker());
        self.has_room()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting_messages.load(Ordering::Acquire) < INBOX_MESSAGES
            && self.waiting_bytes.load(Ordering::Acquire) < INBOX_BYTES
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        // Nothing in a section can panic half-way, so a poisoned lock still guards a whole state.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// What is to be known of the close; each thing is told once.
    fn next_close(&mut self) -> Option<Outgoing> {
        if self.closing.is_none()
            && let Some((when, closing)) = &self.close_at
        {
            if *when <= Instant::now() {
                self.closing = Some(closing.clone());
            } else if !self.close_at_told {
                self.close_at_told = true;
                return Some(Outgoing::CloseAt(*when));
            }
        }
        if self.close_taken {
            return None;
        }
        self.close_taken = self.closing.is_some();
        self.closing.clone().map(Outgoing::Close)
    }
}

#[cfg(test)]
mod tests;
