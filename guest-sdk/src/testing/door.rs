//! The fake host as the SDK calls it: the same names as the real host's imports.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::rules;
use super::yard::{Action, Misfit, Target, Yard};
use crate::closing::Closing;
use crate::connect::ConnectOptions;
use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::identity::IdentityOptions;
use crate::message::Outgoing;
use crate::platform::Origin;
use crate::saved::Saved;

mod services;

pub(crate) use services::{config, keyvalue, log_line, send_request};

thread_local! {
    /// The hosts whose handlers run on this thread, the innermost last. Tests run in parallel, each on its own thread.
    static CURRENT: RefCell<Vec<Weak<Yard>>> = const { RefCell::new(Vec::new()) };
}

/// As long as this lives, the host it was made for gets the calls that name no connection.
pub(super) struct Current;

pub(super) fn make_current(yard: Weak<Yard>) -> Current {
    CURRENT.with_borrow_mut(|hosts| hosts.push(yard));
    Current
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(Vec::pop);
    }
}

fn current() -> Result<Rc<Yard>> {
    let yard = CURRENT.with_borrow(|hosts| hosts.last().and_then(Weak::upgrade));
    yard.ok_or_else(|| Fault::Unavailable("no host: off WebAssembly, `testing::Host` is one".to_owned()))
}

/// A connection's socket in the fake host.
#[derive(Debug)]
pub(crate) struct Socket {
    yard: Weak<Yard>,
    id: ConnectionId,
}

impl Socket {
    pub(super) fn new(yard: Weak<Yard>, id: ConnectionId) -> Self {
        Self { yard, id }
    }

    fn yard(&self) -> Result<Rc<Yard>> {
        self.yard.upgrade().ok_or(Fault::Gone)
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id.clone()
    }

    pub(crate) fn send(&self, message: &Outgoing<'_>) -> Result {
        self.yard()?.push(&self.id, message.clone().into_message())
    }

    pub(crate) fn close(&self, code: u16, reason: &str) -> Result {
        rules::closing(code, reason)?;
        let yard = self.yard()?;
        yard.let_go(&self.id);
        yard.close(&self.id, Closing::new(code, reason));
        Ok(())
    }

    pub(crate) fn subscribe(&self, topic: &str) -> Result {
        rules::topic(topic)?;
        let yard = self.yard()?;
        yard.services().granted(&format!("topic:{topic}"))?;
        yard.subscribe(&self.id, topic)
    }

    pub(crate) fn unsubscribe(&self, topic: &str) {
        if let Ok(yard) = self.yard() {
            yard.unsubscribe(&self.id, topic);
        }
    }

    pub(crate) fn register_as(&self, identity: &str, options: &IdentityOptions) -> Result {
        rules::identity(identity)?;
        let max_connections = rules::max_connections(options)?;
        let yard = self.living()?;
        yard.services().granted(&format!("identity:{identity}"))?;
        yard.reach_store()?;
        if let Some(line) = rules::raised_lifetime(options) {
            log(&line);
        }
        yard.register(&self.id, identity, max_connections);
        Ok(())
    }

    pub(crate) fn unregister(&self, identity: &str) -> Result {
        rules::identity(identity)?;
        let yard = self.living()?;
        yard.services().granted(&format!("identity:{identity}"))?;
        yard.reach_store()?;
        yard.unregister(&self.id, identity);
        Ok(())
    }

    pub(crate) fn save(&self, state: &Saved) -> Result {
        rules::resumable(self.yard()?.resumes(&self.id))?;
        rules::state(state)?;
        self.living()?.save(&self.id, state.clone());
        Ok(())
    }

    pub(crate) fn after(&self, time: Duration, event: &Event) -> Result<Timer> {
        self.set_timer(time, false, event)
    }

    pub(crate) fn every(&self, interval: Duration, event: &Event) -> Result<Timer> {
        rules::interval(interval)?;
        self.set_timer(interval, true, event)
    }

    fn set_timer(&self, time: Duration, repeats: bool, event: &Event) -> Result<Timer> {
        rules::time(time)?;
        rules::event(event)?;
        let number = self.living()?.set_timer(&self.id, time, repeats, event.clone())?;
        Ok(Timer { yard: self.yard.clone(), number: Some(number) })
    }

    pub(crate) fn connect(&self, url: &str, options: &ConnectOptions) -> Result<ConnectionId> {
        rules::connect(url, options)?;
        self.living()?.connect(&self.id, url, options)
    }

    pub(crate) fn disconnect(&self, id: &ConnectionId) {
        if let Ok(yard) = self.yard() {
            yard.disconnect(id);
        }
    }

    /// The host, if the connection is neither closing nor closed.
    fn living(&self) -> Result<Rc<Yard>> {
        let yard = self.yard()?;
        if yard.is_alive(&self.id) { Ok(yard) } else { Err(Fault::Gone) }
    }

    pub(crate) fn broadcast(&self, event: &Event) -> Result {
        let yard = self.yard()?;
        let class = yard.class_name(&self.id);
        self.emit(&yard, Target::Class(class.to_owned()), event)
    }

    pub(crate) fn multicast(&self, event: &Event) -> Result {
        let yard = self.yard()?;
        yard.services().granted("all")?;
        self.emit(&yard, Target::All, event)
    }

    pub(crate) fn unicast(&self, target: &ConnectionId, event: &Event) -> Result {
        rules::target(target)?;
        self.emit(&*self.yard()?, Target::One(target.clone()), event)
    }

    fn emit(&self, yard: &Yard, to: Target, event: &Event) -> Result {
        rules::event(event)?;
        yard.queue(Action::Deliver { from: Some(self.id.clone()), to, event: event.clone() });
        Ok(())
    }
}

/// A timer's handle in the fake host, which ends the timer when it is dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    yard: Weak<Yard>,
    /// None: it is detached.
    number: Option<u64>,
}

impl Timer {
    pub(crate) fn detach(mut self) {
        self.number = None;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let (Some(number), Some(yard)) = (self.number, self.yard.upgrade()) {
            yard.cancel_timer(number);
        }
    }
}

pub(crate) fn multicast(event: &Event) -> Result {
    current()?.services().granted("all")?;
    emit(Target::All, event)
}

pub(crate) fn broadcast(controller: &str, event: &Event) -> Result {
    current()?.services().granted(&format!("controller:{controller}"))?;
    emit(Target::Class(controller.to_owned()), event)
}

pub(crate) fn unicast(target: &ConnectionId, event: &Event) -> Result {
    rules::target(target)?;
    if !current()?.is_alive(target) {
        return Err(Fault::Gone);
    }
    emit(Target::One(target.clone()), event)
}

fn emit(to: Target, event: &Event) -> Result {
    rules::event(event)?;
    current()?.queue(Action::Deliver { from: None, to, event: event.clone() });
    Ok(())
}

pub(crate) fn publish(topic: &str, message: &Outgoing<'_>) -> Result {
    rules::topic(topic)?;
    let yard = current()?;
    yard.services().granted(&format!("topic:{topic}"))?;
    yard.publish(topic, &message.clone().into_message());
    Ok(())
}

pub(crate) fn notify(identity: &str, event: &Event) -> Result<bool> {
    rules::identity(identity)?;
    rules::event(event)?;
    let yard = current()?;
    yard.services().granted(&format!("identity:{identity}"))?;
    yard.reach_store()?;
    Ok(yard.notify(identity, event.clone()))
}

pub(crate) fn registered(identity: &str) -> Result<bool> {
    rules::identity(identity)?;
    let yard = current()?;
    yard.services().granted(&format!("identity:{identity}"))?;
    yard.reach_store()?;
    Ok(yard.is_identity(identity))
}

/// Tells the real host whose fault a trap is; a panic in a test says so itself.
pub(crate) fn attend(_index: usize) {}

pub(crate) fn misfit(origin: Origin, name: &str, reason: &str) {
    if let Ok(yard) = current() {
        yard.add_misfit(Misfit { origin, name: name.to_owned(), reason: reason.to_owned() });
    }
}

pub(crate) fn log(line: &str) {
    eprintln!("{line}");
    if let Ok(yard) = current() {
        yard.add_log_line(line);
    }
}
