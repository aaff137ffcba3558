//! The real host: the imports of the contract, in the SDK's own types. Nothing that is sent is copied on the way.

use std::io::Write as _;

use super::Origin;
use crate::bindings::lakou::controller as wit;
use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::identity::IdentityOptions;
use crate::message::Outgoing;

/// A connection's socket in the host.
#[derive(Debug)]
pub(crate) struct Socket(wit::sockets::Socket);

impl Socket {
    pub(crate) fn new(socket: wit::sockets::Socket) -> Self {
        Self(socket)
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.0.id().into()
    }

    pub(crate) fn send(&self, message: &Outgoing<'_>) -> Result {
        self.0.send(borrowed_message(message)).map_err(fault)
    }

    pub(crate) fn close(&self, code: u16, reason: &str) -> Result {
        self.0.close(wit::types::ClosingParam { code, reason }).map_err(fault)
    }

    pub(crate) fn subscribe(&self, topic: &str) -> Result {
        self.0.subscribe(topic).map_err(fault)
    }

    pub(crate) fn unsubscribe(&self, topic: &str) {
        self.0.unsubscribe(topic);
    }

    pub(crate) fn register_as(&self, identity: &str, options: &IdentityOptions) -> Result {
        let options = wit::types::IdentityOptions {
            lifetime_seconds: options.lifetime_seconds,
            max_connections: options.max_connections,
        };
        self.0.register_as(identity, options).map_err(fault)
    }

    pub(crate) fn unregister(&self, identity: &str) -> Result {
        self.0.unregister(identity).map_err(fault)
    }

    pub(crate) fn broadcast(&self, event: &Event) -> Result {
        self.0.broadcast(borrowed_event(event)?).map_err(fault)
    }

    pub(crate) fn multicast(&self, event: &Event) -> Result {
        self.0.multicast(borrowed_event(event)?).map_err(fault)
    }

    pub(crate) fn unicast(&self, target: &ConnectionId, event: &Event) -> Result {
        self.0.unicast(target.as_str(), borrowed_event(event)?).map_err(fault)
    }
}

pub(crate) fn multicast(event: &Event) -> Result {
    wit::messaging::multicast(borrowed_event(event)?).map_err(fault)
}

pub(crate) fn broadcast(controller: &str, event: &Event) -> Result {
    wit::messaging::broadcast(controller, borrowed_event(event)?).map_err(fault)
}

pub(crate) fn unicast(target: &ConnectionId, event: &Event) -> Result {
    wit::messaging::unicast(target.as_str(), borrowed_event(event)?).map_err(fault)
}

pub(crate) fn publish(topic: &str, message: &Outgoing<'_>) -> Result {
    wit::messaging::publish(topic, borrowed_message(message)).map_err(fault)
}

pub(crate) fn notify(identity: &str, event: &Event) -> Result<bool> {
    wit::messaging::notify(identity, borrowed_event(event)?).map_err(fault)
}

pub(crate) fn registered(identity: &str) -> Result<bool> {
    wit::messaging::registered(identity).map_err(fault)
}

/// "Now at this item": if the call fails, it alone is at fault.
pub(crate) fn attend(index: usize) {
    wit::diagnostics::attend(u32::try_from(index).unwrap_or(u32::MAX));
}

/// Tells the host of a call that did not fit a method.
pub(crate) fn misfit(origin: Origin, name: &str, reason: &str) {
    let origin = match origin {
        Origin::Client => wit::diagnostics::Origin::Client,
        Origin::Event => wit::diagnostics::Origin::Event,
    };
    wit::diagnostics::misfit(origin, name, reason);
}

/// Writes one line to the log. One write: standard error is not buffered, and each write is a call of the host.
pub(crate) fn log(line: &str) {
    // A log that cannot be written has nobody left to tell; `eprintln!` would panic.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn borrowed_message<'a>(message: &'a Outgoing<'_>) -> wit::types::MessageParam<'a> {
    match message {
        Outgoing::Text(text) => wit::types::MessageParam::Text(text),
        Outgoing::Binary(bytes) => wit::types::MessageParam::Binary(bytes),
    }
}

fn borrowed_event(event: &Event) -> Result<wit::types::EventParam<'_>> {
    Ok(wit::types::EventParam { name: event.name(), args: event.checked_args()? })
}

fn fault(fault: wit::types::Fault) -> Fault {
    match fault {
        wit::types::Fault::Gone => Fault::Gone,
        wit::types::Fault::TooLarge => Fault::TooLarge,
        wit::types::Fault::Unavailable(reason) => Fault::Unavailable(reason),
        wit::types::Fault::Invalid(reason) => Fault::Invalid(reason),
    }
}
