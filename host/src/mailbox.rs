//! The queue in front of an instance: everything that an instance does comes through here, one at a time and in order.
//!
//! Client messages are bounded by their connections (see `connection`), requests to connect by `max-connections`; events
//! are bounded here, in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::bell::Bell;
use crate::closing::Closing;
use crate::connection::{Connection, Mark, TimerPlace};
use crate::identity::{Identity, Notification};
use crate::ids::{ConnectionId, ConnectionKey};
use crate::message::{Message, SharedEvent};
use crate::request::{Acceptance, Refusal, Request};

/// How many bytes of events may wait for one instance. An instance that is this far behind is not going to catch up
/// while the sender goes on; at it, events for this instance are dropped, counted, and the sender is told.
const EVENT_BYTES: usize = 16 * 1024 * 1024;

/// One thing for an instance to do.
pub(crate) enum Work {
    /// Ask the class whether it wants this connection.
    Connect { request: Arc<Request>, answer: oneshot::Sender<Result<Acceptance, NotAccepted>> },
    /// Make the object of an open connection.
    Open { connection: Arc<Connection>, request: Arc<Request> },
    /// A message from a client.
    Receive { from: ConnectionKey, message: Message },
    /// An event for one connection of this instance or for all of them.
    Deliver { to: Recipients, event: SharedEvent, from: Option<ConnectionId> },
    /// A timer's event for this connection; `waits` is true until it is taken out. Until then the timer has its place, too,
    /// though it may have ended.
    Tick { to: ConnectionKey, event: SharedEvent, waits: Arc<AtomicBool>, place: Arc<TimerPlace> },
    /// What this connection sent to `target` could not be delivered.
    Undelivered { to: ConnectionKey, target: ConnectionId, event: SharedEvent },
    /// A notification for an identity of this connection, unless the registration is over, which its bell says.
    Notify {
        to: ConnectionKey,
        identity: Identity,
        notification: Notification,
        bell: Arc<Bell>,
        done: oneshot::Sender<Outcome>,
    },
    /// The connection holds the identity no more.
    Replaced { to: ConnectionKey, identity: Identity },
    /// The client broke the protocol: close, once everything that it said before has been answered.
    Hangup { connection: ConnectionKey, closing: Closing },
    /// The session has ended.
    Close { connection: ConnectionKey, closing: Closing },
    /// The server stops: tell every object and close its connection at its moment of the drain.
    Shutdown { drain: Drain },
}

/// The time over which a stopping server spreads its closes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    pub(crate) begins: Instant,
    pub(crate) lasts: Duration,
}

impl Drain {
    /// When a connection is closed. Its id is random, so the closes of many are spread evenly.
    pub(crate) fn moment(&self, connection: ConnectionId) -> Instant {
        self.begins + self.lasts.mul_f64(connection.fraction())
    }

    /// When the last one is closed.
    pub(crate) fn end(&self) -> Instant {
        self.begins + self.lasts
    }
}

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its handler has returned, and what it has sent lies before this place in the outbox.
    Handled(Mark),
    /// Its handler has failed.
    Failed,
    /// It did not get to its handler: the connection has ended, or is about to.
    Lost,
}

/// Whom of an instance an event is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Recipients {
    All,
    AllBut(ConnectionKey),
    One(ConnectionKey),
}

/// Why `connect` did not say yes.
#[derive(Debug)]
pub(crate) enum NotAccepted {
    /// The class said no.
    Refused(Refusal),
    /// The class failed, or no instance could be opened.
    Failed,
    /// There is no room for another instance.
    NoRoom,
    /// The server is being stopped.
    Stopping,
}

/// The sending end; the instance owns the receiving end.
pub(crate) struct Mailbox {
    sender: mpsc::UnboundedSender<Work>,
    event_bytes: AtomicUsize,
}

/// The mailbox has no room for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Mailbox {
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Work>) {
        #[expect(clippy::disallowed_methods, reason = "events are bounded by EVENT_BYTES, the rest where it is put in")]
        let (sender, receiver) = mpsc::unbounded_channel();
        (Arc::new(Mailbox { sender, event_bytes: AtomicUsize::new(0) }), receiver)
    }

    /// Puts in what is bounded elsewhere. An instance that has ended takes nothing; nobody waits for it then.
    pub(crate) fn put(&self, work: Work) {
        let _ = self.sender.send(work);
    }

    /// Whether the instance has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Puts in an event, if there is room.
    pub(crate) fn put_event(
        &self,
        to: Recipients,
        event: &SharedEvent,
        from: Option<ConnectionId>,
    ) -> Result<(), Full> {
        self.reserve(event)?;
        self.put(Work::Deliver { to, event: Arc::clone(event), from });
        Ok(())
    }

    /// Puts in the news that an event came back, if there is room.
    pub(crate) fn put_undelivered(
        &self,
        to: ConnectionKey,
        target: ConnectionId,
        event: SharedEvent,
    ) -> Result<(), Full> {
        self.reserve(&event)?;
        self.put(Work::Undelivered { to, target, event });
        Ok(())
    }

    fn reserve(&self, event: &SharedEvent) -> Result<(), Full> {
        let cost = event.cost();
        if self.event_bytes.fetch_add(cost, Ordering::AcqRel) > EVENT_BYTES {
            self.event_bytes.fetch_sub(cost, Ordering::AcqRel);
            return Err(Full);
        }
        Ok(())
    }

    /// The instance has taken an event out, its own or one that came back.
    pub(crate) fn event_taken(&self, event: &SharedEvent) {
        self.event_bytes.fetch_sub(event.cost(), Ordering::AcqRel);
    }
}
