//! The real host: the imports of the contract, in the SDK's own types. Nothing that is sent is copied on the way.

use std::io::Write as _;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::Origin;
use super::detached::Detached;
use crate::bindings::lakou::controller as wit;
use crate::bindings::wasi::logging::logging;
use crate::connect::ConnectOptions;
use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::identity::IdentityOptions;
use crate::log::Level;
use crate::message::Outgoing;
use crate::saved::Saved;
use crate::timer;

pub(crate) mod config;
pub(crate) mod keyvalue;
mod outgoing;

pub(crate) use outgoing::send_request;

/// A connection's socket in the host.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: wit::sockets::Socket,
    detached: Rc<DetachedTimers>,
}

/// Timers that run without their handle, for as long as this lives.
pub(crate) type DetachedTimers = Detached<wit::sockets::Timer>;

impl Socket {
    /// A socket, and the timers that will be detached from it: they end with the connection's object, which a socket may
    /// be dropped before.
    pub(crate) fn new(socket: wit::sockets::Socket) -> (Self, Rc<DetachedTimers>) {
        let detached = Rc::new(DetachedTimers::default());
        (Self { socket, detached: Rc::clone(&detached) }, detached)
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.socket.id().into()
    }

    pub(crate) fn send(&self, message: &Outgoing<'_>) -> Result {
        self.socket.send(borrowed_message(message)).map_err(fault)
    }

    pub(crate) fn close(&self, code: u16, reason: &str) -> Result {
        self.socket.close(wit::types::ClosingParam { code, reason }).map_err(fault)
    }

    pub(crate) fn save(&self, state: &Saved) -> Result {
        self.socket.save(state.as_bytes()).map_err(fault)
    }

    pub(crate) fn after(&self, time: Duration, event: &Event) -> Result<Timer> {
        let handle = self.socket.after(timer::milliseconds(time), borrowed_event(event)?).map_err(fault)?;
        Ok(Timer { handle, once: Some(time), detached: Rc::downgrade(&self.detached) })
    }

    pub(crate) fn every(&self, time: Duration, event: &Event) -> Result<Timer> {
        let handle = self.socket.every(timer::milliseconds(time), borrowed_event(event)?).map_err(fault)?;
        Ok(Timer { handle, once: None, detached: Rc::downgrade(&self.detached) })
    }

    pub(crate) fn subscribe(&self, topic: &str) -> Result {
        self.socket.subscribe(topic).map_err(fault)
    }

    pub(crate) fn unsubscribe(&self, topic: &str) {
        self.socket.unsubscribe(topic);
    }

    pub(crate) fn register_as(&self, identity: &str, options: &IdentityOptions) -> Result {
        let options = wit::types::IdentityOptions {
            lifetime_seconds: options.lifetime_seconds,
            max_connections: options.max_connections,
        };
        self.socket.register_as(identity, options).map_err(fault)
    }

    pub(crate) fn unregister(&self, identity: &str) -> Result {
        self.socket.unregister(identity).map_err(fault)
    }

    pub(crate) fn connect(&self, url: &str, options: &ConnectOptions) -> Result<ConnectionId> {
        let headers: Vec<(&str, &[u8])> = options.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let params: Vec<(&str, &str)> = options.params.iter().map(|(name, value)| (&**name, &**value)).collect();
        let subprotocols: Vec<&str> = options.subprotocols.iter().map(|name| &**name).collect();
        let options = wit::client::ConnectOptions {
            subprotocols: &subprotocols,
            headers: &headers,
            params: &params,
            reconnect: options.reconnect,
        };
        wit::client::connect(&self.socket, url, options).map(ConnectionId::from).map_err(fault)
    }

    #[allow(clippy::unused_self, reason = "it is a socket's in the fake host")]
    pub(crate) fn disconnect(&self, id: &ConnectionId) {
        wit::client::disconnect(id.as_str());
    }

    pub(crate) fn broadcast(&self, event: &Event) -> Result {
        self.socket.broadcast(borrowed_event(event)?).map_err(fault)
    }

    pub(crate) fn multicast(&self, event: &Event) -> Result {
        self.socket.multicast(borrowed_event(event)?).map_err(fault)
    }

    pub(crate) fn unicast(&self, target: &ConnectionId, event: &Event) -> Result {
        self.socket.unicast(target.as_str(), borrowed_event(event)?).map_err(fault)
    }
}

/// A timer's handle in the host, which ends the timer when it is dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    handle: wit::sockets::Timer,
    /// After what time the event comes; none: again and again.
    once: Option<Duration>,
    detached: Weak<DetachedTimers>,
}

impl Timer {
    pub(crate) fn detach(self) {
        // Without the object there is nobody to get the event.
        if let Some(detached) = self.detached.upgrade() {
            let now = Instant::now();
            // Counted from now, which is not before the timer was set.
            detached.hold(self.handle, self.once.map(|time| now + time), now);
        }
    }
}

pub(crate) fn multicast(event: &Event) -> Result {
    wit::messaging::multicast(borrowed_event(event)?).map_err(fault)
}

pub(crate) fn broadcast(controller: &str, event: &Event) -> Result {
    wit::messaging::broadcast(controller, borrowed_event(event)?).map_err(fault)
}

pub(crate) fn broadcast_own(event: &Event) -> Result {
    wit::messaging::broadcast_own(borrowed_event(event)?).map_err(fault)
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

/// Writes one line to the log, with what the host knows about it.
pub(crate) fn log_line(level: Level, context: &str, message: &str) {
    let level = match level {
        Level::Trace => logging::Level::Trace,
        Level::Debug => logging::Level::Debug,
        Level::Info => logging::Level::Info,
        Level::Warn => logging::Level::Warn,
        Level::Error => logging::Level::Error,
    };
    logging::log(level, context, message);
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
        wit::types::Fault::Denied(reason) => Fault::Denied(reason),
    }
}
