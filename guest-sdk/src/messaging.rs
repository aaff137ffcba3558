//! Emitting from anywhere, HTTP handlers included. From a connection, [`Socket`](crate::Socket) has most of these calls,
//! too; there they leave that connection itself out. [`notify`] and [`registered`] wait for the store of identities;
//! nothing else here waits for the network.

use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::message::Outgoing;
use crate::platform;

/// Sends an event to every connection of every controller, on every server.
///
/// # Errors
///
/// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["all"]`).
/// - The others as for [`Socket::broadcast`](crate::Socket::broadcast).
pub fn multicast(event: Event) -> Result {
    platform::multicast(&event)
}

/// Sends an event to every connection of the controller that has this name, on every server. No such controller, or
/// none of its connections alive: nobody gets it, and that is `Ok`.
///
/// # Errors
///
/// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["controller:NAME"]`); one's own needs no grant.
/// - The others as for [`Socket::broadcast`](crate::Socket::broadcast).
pub fn broadcast(controller: &str, event: Event) -> Result {
    platform::broadcast(controller, &event)
}

/// Sends an event to every connection of the controller that calls, on every server, whatever the operator has named it. From
/// a connection, that one gets it, too; [`Socket::broadcast`](crate::Socket::broadcast) leaves it out.
///
/// # Errors
///
/// As for [`Socket::broadcast`](crate::Socket::broadcast).
pub fn broadcast_own(event: Event) -> Result {
    platform::broadcast_own(&event)
}

/// Sends an event to one connection.
///
/// # Errors
///
/// [`Fault::Gone`](crate::Fault::Gone) if `target` is known to have ended: there is nobody to call back. What can not be
/// delivered later is counted by the host. The others as for [`Socket::unicast`](crate::Socket::unicast).
pub fn unicast(target: &ConnectionId, event: Event) -> Result {
    platform::unicast(target, &event)
}

/// Sends a message to every client subscribed to `topic`, on every server, at most once, without a call of a
/// controller.
///
/// # Errors
///
/// - [`Fault::Invalid`](crate::Fault::Invalid): not a topic, like one with a `*`.
/// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["topic:NAME"]`); topics that begin with
///   the controller's name need no grant.
/// - [`Fault::TooLarge`](crate::Fault::TooLarge): the message is over the limit of a message.
/// - [`Fault::Unavailable`](crate::Fault::Unavailable): the other servers are out of reach and the backlog for them is
///   full; the subscribers of this server have it. Or the controller has emitted as often in this second as it may, and nobody
///   has it.
pub fn publish<'a>(topic: &str, message: impl Into<Outgoing<'a>>) -> Result {
    platform::publish(topic, &message.into())
}

/// Sends an event to whoever is `identity`: it calls the method of its name on each connection that is
/// [registered](crate::Socket::register_as) as it, on whatever server, or else on the next one to register. The
/// notifications of one identity come in order.
///
/// `true`: it is stored, and it survives the end of any server. It leaves when each registered connection has
/// handled it, be it with an error, when the lifetime of the identity passes, or, oldest first, when over 1000 or 1 MiB are
/// waiting. `false`: there is no such identity, because nobody has ever registered as it or its lifetime has passed.
///
/// What comes again, because a handler or a server failed, has the same [id](crate::notification()).
///
/// # Errors
///
/// - [`Fault::Invalid`](crate::Fault::Invalid): not an identity; or the event as for
///   [`Socket::broadcast`](crate::Socket::broadcast), and so is [`Fault::TooLarge`](crate::Fault::TooLarge).
/// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["identity:NAME"]`); identities that
///   begin with the controller's name need no grant.
/// - [`Fault::Unavailable`](crate::Fault::Unavailable): the store is away. Nothing is promised: it may be stored. Or the
///   controller has emitted as often in this second as it may, and it is not stored.
pub fn notify(identity: &str, event: Event) -> Result<bool> {
    platform::notify(identity, &event)
}

/// Whether there is such an identity now, with a connection or without.
///
/// # Errors
///
/// - [`Fault::Invalid`](crate::Fault::Invalid): not an identity.
/// - [`Fault::Denied`](crate::Fault::Denied): as for [`notify`].
/// - [`Fault::Unavailable`](crate::Fault::Unavailable): the store is away, or the controller is over its `store-rate`.
pub fn registered(identity: &str) -> Result<bool> {
    platform::registered(identity)
}
