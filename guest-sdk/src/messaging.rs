//! Emitting from anywhere, HTTP handlers included. From a connection, [`Socket`](crate::Socket) has the same calls,
//! which leave that connection itself out.

use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::message::Outgoing;
use crate::platform;

/// Sends an event to every connection of every controller, on every server.
///
/// # Errors
///
/// As for [`Socket::broadcast`](crate::Socket::broadcast).
pub fn multicast(event: Event) -> Result {
    platform::multicast(&event)
}

/// Sends an event to every connection of the controller that has this name, on every server. No such controller, or
/// none of its connections alive: nobody gets it, and that is `Ok`.
///
/// # Errors
///
/// As for [`Socket::broadcast`](crate::Socket::broadcast).
pub fn broadcast(controller: &str, event: Event) -> Result {
    platform::broadcast(controller, &event)
}

/// Sends an event to one connection.
///
/// # Errors
///
/// [`Fault::Gone`](crate::Fault::Gone) if `target` is known to have ended: there is nobody to call back. The others as
/// for [`Socket::unicast`](crate::Socket::unicast).
pub fn unicast(target: &ConnectionId, event: Event) -> Result {
    platform::unicast(target, &event)
}

/// Sends a message to every client subscribed to `topic`, on every server, at most once, without a call of a
/// controller.
///
/// # Errors
///
/// - [`Fault::Invalid`](crate::Fault::Invalid): not a topic.
/// - [`Fault::TooLarge`](crate::Fault::TooLarge): the message is over the limit of a message.
pub fn publish<'a>(topic: &str, message: impl Into<Outgoing<'a>>) -> Result {
    platform::publish(topic, &message.into())
}
