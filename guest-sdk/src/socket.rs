//! A controller object's grip on its own connection.

use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::message::Outgoing;
use crate::platform;

/// One living WebSocket, handed to [`Controller::open`](crate::Controller::open) and kept as a field.
///
/// Dropping it neither closes nor keeps open the connection. No method waits for the network.
#[derive(Debug)]
pub struct Socket {
    platform: platform::Socket,
}

impl Socket {
    pub(crate) fn new(platform: platform::Socket) -> Self {
        Self { platform }
    }

    /// The connection's address; it stays the same for the whole of its life.
    pub fn id(&self) -> ConnectionId {
        self.platform.id()
    }

    /// Queues a message for the client, first in, first out. `Ok` says that it is queued, not that it has arrived.
    ///
    /// # Errors
    ///
    /// - [`Fault::TooLarge`](crate::Fault::TooLarge): the message alone is over the outbox limit.
    /// - [`Fault::Gone`](crate::Fault::Gone): the connection is closing or closed. A client too slow for its outbox is
    ///   closed with 3008 by the `send` that overflows it.
    pub fn send<'a>(&self, message: impl Into<Outgoing<'a>>) -> Result {
        self.platform.send(&message.into())
    }

    /// Sends what is queued, then closes; [`Controller::close`](crate::Controller::close) follows. The first close wins,
    /// later ones and later sends do nothing.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid): the code is not one of 1000 to 1003, 1007 to 1014, 3000 to 4999, or
    /// the reason is over 123 bytes. Codes from 4000 are the application's own.
    pub fn close(&self, code: u16, reason: &str) -> Result {
        self.platform.close(code, reason)
    }

    /// From now on the client gets what is published on `topic`, straight from the host. A topic is 1 to 256 bytes and
    /// belongs to the whole application.
    ///
    /// # Errors
    ///
    /// - [`Fault::Invalid`](crate::Fault::Invalid): not a topic.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): the connection has as many topics as it may have.
    pub fn subscribe(&self, topic: &str) -> Result {
        self.platform.subscribe(topic)
    }

    /// The end of a subscription; what is on its way may still arrive. Not subscribed: nothing happens.
    pub fn unsubscribe(&self, topic: &str) {
        self.platform.unsubscribe(topic);
    }

    /// Sends an event to every *other* connection of this controller, on every server.
    ///
    /// # Errors
    ///
    /// - [`Fault::TooLarge`](crate::Fault::TooLarge), [`Fault::Invalid`](crate::Fault::Invalid): the event is over its
    ///   limit, or its name is empty or over 256 bytes.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): queues are full; some receivers may have it.
    pub fn broadcast(&self, event: Event) -> Result {
        self.platform.broadcast(&event)
    }

    /// Sends an event to every *other* connection of every controller, on every server. A class without such a method
    /// ignores it.
    ///
    /// # Errors
    ///
    /// As for [`broadcast`](Self::broadcast).
    pub fn multicast(&self, event: Event) -> Result {
        self.platform.multicast(&event)
    }

    /// Sends an event to one connection, of whatever controller. If `target` has ended,
    /// [`Controller::undelivered`](crate::Controller::undelivered) is called, later.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid) if `target` is not an id of a connection; the others as for
    /// [`broadcast`](Self::broadcast).
    pub fn unicast(&self, target: &ConnectionId, event: Event) -> Result {
        self.platform.unicast(target, &event)
    }
}
