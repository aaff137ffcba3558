//! How an event finds its receivers and a published message its subscribers. The trait is what controllers emit to; each
//! implementation says how far it reaches. `local` reaches this process, `redis` every server of the application.

use std::sync::Arc;

use crate::connection::Connection;
use crate::identity::Identity;
use crate::ids::ConnectionId;
use crate::message::{Message, SharedEvent};

mod bells;
mod health;
pub(crate) mod local;
pub(crate) mod redis;
mod topics;

pub use health::BusHealth;
pub(crate) use redis::{Notice, wire};
pub(crate) use topics::Topic;

/// An event and whom it is for.
pub(crate) struct Envelope {
    pub(crate) to: Target,
    pub(crate) event: SharedEvent,
    /// The connection that emitted it: it is left out of a multicast or broadcast, and learns that a unicast failed.
    pub(crate) from: Option<ConnectionId>,
}

/// Whom an event is for.
pub(crate) enum Target {
    /// Every connection of every controller.
    All,
    /// Every connection of the controller of this name.
    Controller(String),
    /// One connection.
    Connection(ConnectionId),
}

/// Why an event was not emitted, or not to everybody.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EmitError {
    /// A unicast without a sender that could be told later.
    #[error("the connection has ended")]
    Gone,
    /// Receivers are too far behind.
    #[error("{full} of {all} mailboxes are full; their connections did not get the event")]
    Full { full: usize, all: usize },
    /// The receivers of this server have it, as far as they are meant.
    #[error(transparent)]
    OutOfReach(OutOfReach),
}

/// Other servers can not be told, now or later.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other servers are out of reach and there is no more room to keep anything for them")]
pub(crate) struct OutOfReach;

/// Why a connection was not subscribed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSubscribed {
    /// The connection has ended.
    Gone,
    /// It has as many topics as it may have.
    Full,
}

/// Emitting, publishing and subscribing. Nothing here waits: a controller calls it from inside the sandbox.
pub(crate) trait Bus: Send + Sync {
    /// Sends an event on its way, in order for one sender. A unicast whose target has ended comes back to its sender as
    /// undelivered; without a sender it is an error, if it is known at once.
    fn emit(&self, envelope: Envelope) -> Result<(), EmitError>;

    /// An event for `target` has come to where it was, and it is gone: its sender learns it, if there is one.
    fn undelivered(&self, target: ConnectionId, event: SharedEvent, from: Option<ConnectionId>);

    /// Rings for a holder of an identity, on whatever server.
    fn ring(&self, holder: ConnectionId, identity: &Identity);

    /// Queues `message` for every subscriber of `topic`.
    fn publish(&self, topic: &Topic, message: &Message) -> Result<(), OutOfReach>;

    /// Subscribes the connection; twice is once.
    fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Result<(), NotSubscribed>;

    /// The end of `subscribe`.
    fn unsubscribe(&self, topic: &Topic, connection: ConnectionId);

    /// Whether it reaches whom it should.
    fn health(&self) -> BusHealth;
}

/// Tells how the bus of a server is, while the server runs.
#[derive(Clone)]
pub struct BusMonitor(pub(crate) Arc<dyn Bus>);

impl BusMonitor {
    /// How it is now.
    pub fn health(&self) -> BusHealth {
        self.0.health()
    }
}
