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
    /// The handlers that run on this thread, the innermost last. Tests run in parallel, each on its own thread.
    static CURRENT: RefCell<Vec<Caller<Weak<Yard>>>> = const { RefCell::new(Vec::new()) };
}

/// A handler that runs: its host, and the name of its controller.
#[derive(Clone)]
struct Caller<Y> {
    yard: Y,
    class: &'static str,
}

/// As long as this lives, the host it was made for gets the calls that name no connection.
pub(super) struct Current;

pub(super) fn make_current(yard: Weak<Yard>, class: &'static str) -> Current {
    CURRENT.with_borrow_mut(|callers| callers.push(Caller { yard, class }));
    Current
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(Vec::pop);
    }
}

fn caller() -> Result<Caller<Rc<Yard>>> {
    let last = CURRENT.with_borrow(|callers| callers.last().cloned());
    let caller = last.and_then(|Caller { yard, class }| Some(Caller { yard: yard.upgrade()?, class }));
    caller.ok_or_else(|| Fault::Unavailable("no host: off WebAssembly, `testing::Host` is one".to_owned()))
}

fn current() -> Result<Rc<Yard>> {
    Ok(caller()?.yard)
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
        let caller = self.caller()?;
        caller.yard.somebody(&self.id)?;
        caller.may_use_topic(topic)?;
        caller.yard.subscribe(&self.id, topic)
    }

    pub(crate) fn unsubscribe(&self, topic: &str) {
        if let Ok(yard) = self.yard() {
            yard.unsubscribe(&self.id, topic);
        }
    }

    pub(crate) fn register_as(&self, identity: &str, options: &IdentityOptions) -> Result {
        self.caller()?.may_use_identity(identity)?;
        let max_connections = rules::max_connections(options)?;
        let yard = self.living()?;
        yard.room_for(&self.id, identity)?;
        yard.reach_store()?;
        if let Some(line) = rules::raised_lifetime(options) {
            log(&line);
        }
        yard.register(&self.id, identity, max_connections);
        Ok(())
    }

    pub(crate) fn unregister(&self, identity: &str) -> Result {
        self.caller()?.may_use_identity(identity)?;
        let yard = self.living()?;
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
        rules::outgoing::connect(url, options)?;
        self.yard()?.connect(&self.id, url, options)
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

    /// The controller that the connection is one of, with its host.
    fn caller(&self) -> Result<Caller<Rc<Yard>>> {
        let yard = self.yard()?;
        let class = yard.class_name(&self.id);
        Ok(Caller { yard, class })
    }

    pub(crate) fn broadcast(&self, event: &Event) -> Result {
        let caller = self.caller()?;
        caller.emit(Some(&self.id), Target::Class(caller.class.to_owned()), event)
    }

    pub(crate) fn multicast(&self, event: &Event) -> Result {
        self.caller()?.emit(Some(&self.id), Target::All, event)
    }

    pub(crate) fn unicast(&self, target: &ConnectionId, event: &Event) -> Result {
        self.caller()?.emit(Some(&self.id), Target::One(target.clone()), event)
    }
}

/// What is checked alike, whether it comes from a connection or from anywhere else; in the order of the real host.
impl Caller<Rc<Yard>> {
    fn emit(&self, from: Option<&ConnectionId>, to: Target, event: &Event) -> Result {
        rules::event(event)?;
        match &to {
            Target::All => self.granted("all")?,
            Target::Class(name) => self.granted(&format!("controller:{name}"))?,
            // Ids can not be guessed: who has one was given it.
            Target::One(id) => rules::target(id)?,
        }
        self.yard.services().may_emit()?;
        // With nobody to call back, this is the moment to say it.
        if let (None, Target::One(id)) = (from, &to)
            && !self.yard.is_alive(id)
        {
            return Err(Fault::Gone);
        }
        self.yard.queue(Action::Deliver { from: from.cloned(), to, event: event.clone() });
        Ok(())
    }

    fn may_use_topic(&self, topic: &str) -> Result {
        rules::topic(topic)?;
        self.granted(&format!("topic:{topic}"))
    }

    fn may_use_identity(&self, identity: &str) -> Result {
        rules::identity(identity)?;
        self.granted(&format!("identity:{identity}"))
    }

    fn granted(&self, addressee: &str) -> Result {
        self.yard.services().grants.check(self.class, addressee)
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
    caller()?.emit(None, Target::All, event)
}

pub(crate) fn broadcast(controller: &str, event: &Event) -> Result {
    caller()?.emit(None, Target::Class(controller.to_owned()), event)
}

pub(crate) fn broadcast_own(event: &Event) -> Result {
    let caller = caller()?;
    caller.emit(None, Target::Class(caller.class.to_owned()), event)
}

pub(crate) fn unicast(target: &ConnectionId, event: &Event) -> Result {
    caller()?.emit(None, Target::One(target.clone()), event)
}

pub(crate) fn publish(topic: &str, message: &Outgoing<'_>) -> Result {
    let message = message.clone().into_message();
    rules::message(message.as_bytes())?;
    let caller = caller()?;
    caller.yard.services().may_emit()?;
    caller.may_use_topic(topic)?;
    caller.yard.publish(topic, &message);
    Ok(())
}

pub(crate) fn notify(identity: &str, event: &Event) -> Result<bool> {
    let caller = caller()?;
    caller.may_use_identity(identity)?;
    rules::event(event)?;
    caller.yard.services().may_emit()?;
    caller.yard.reach_store()?;
    Ok(caller.yard.notify(identity, event.clone()))
}

pub(crate) fn registered(identity: &str) -> Result<bool> {
    let caller = caller()?;
    caller.may_use_identity(identity)?;
    caller.yard.reach_store()?;
    Ok(caller.yard.is_identity(identity))
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
