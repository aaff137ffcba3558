//! The fake host's state: connections, what waits to happen, and what was reported.
//!
//! Handlers run with nothing borrowed: what they emit is queued, and `settle` lets it happen, one thing after another.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use self::outward::Outward;
use super::mailboxes::Mailboxes;
use super::seats::{Seats, SeatsOf};
use super::services::Services;
use super::timers::Timers;
use super::{door, rules};
use crate::class::Class;
use crate::closing::Closing;
use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::message::Message;
use crate::platform::Origin;
use crate::request::{Peer, Request};
use crate::saved::Saved;
use crate::socket::Socket;

mod identities;
mod outward;
mod saved;
mod timers;

/// What may follow from one call before it counts as endless: controllers that answer each other for ever never settle.
const LONGEST_CHAIN: usize = 100_000;

/// A call that did not fit a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Who called.
    pub origin: Origin,
    /// The method that was called.
    pub name: String,
    /// Why it was not.
    pub reason: String,
}

/// The fake host's state.
#[derive(Debug, Default)]
pub(super) struct Yard {
    lines: RefCell<BTreeMap<ConnectionId, Line>>,
    /// In the order of their first connections.
    classes: RefCell<Vec<KnownClass>>,
    waiting: RefCell<VecDeque<Action>>,
    settling: Cell<bool>,
    opened: Cell<u64>,
    mailboxes: RefCell<Mailboxes>,
    store_away: Cell<bool>,
    services: Services,
    timers: RefCell<Timers>,
    outward: RefCell<Outward>,
    misfits: RefCell<Vec<Misfit>>,
    log: RefCell<Vec<String>>,
}

/// The objects of a class, twice: to call them, and to find their type again.
#[derive(Debug)]
struct KnownClass {
    seats: Rc<dyn Seats>,
    any: Rc<dyn Any>,
}

/// One connection as the host sees it.
#[derive(Debug)]
struct Line {
    seats: Rc<dyn Seats>,
    request: Request,
    outbox: VecDeque<Message>,
    topics: BTreeSet<String>,
    saved: Option<Saved>,
    closing: Option<Closing>,
}

impl Line {
    fn new(seats: Rc<dyn Seats>, request: Request) -> Self {
        Self { seats, request, outbox: VecDeque::new(), topics: BTreeSet::new(), saved: None, closing: None }
    }
}

/// Something that waits to happen.
#[derive(Debug)]
pub(super) enum Action {
    /// A connection to a server has come about.
    Open {
        id: ConnectionId,
    },
    /// Who has opened connections to servers has ended.
    Disown {
        owner: ConnectionId,
    },
    Deliver {
        from: Option<ConnectionId>,
        to: Target,
        event: Event,
    },
    Undelivered {
        sender: ConnectionId,
        target: ConnectionId,
        event: Event,
    },
    NextNotification {
        id: ConnectionId,
        identity: String,
    },
    Replaced {
        id: ConnectionId,
        identity: String,
    },
    End {
        id: ConnectionId,
        closing: Closing,
    },
    Shutdown,
}

/// Whom an event is for.
#[derive(Debug)]
pub(super) enum Target {
    All,
    Class(String),
    One(ConnectionId),
}

impl Yard {
    /// Runs a piece of the controller `class`, with this host as the one it calls.
    pub(super) fn enter<R>(self: &Rc<Self>, class: &'static str, run: impl FnOnce() -> R) -> R {
        let _current = door::make_current(Rc::downgrade(self), class);
        run()
    }

    /// Calls the class of `id`.
    fn call<R>(self: &Rc<Self>, id: &ConnectionId, run: impl FnOnce(&dyn Seats) -> R) -> R {
        let seats = self.seats(id);
        self.enter(seats.name(), || run(&*seats))
    }

    /// Makes a connection and its object.
    pub(super) fn open<C: Class>(self: &Rc<Self>, request: Request) -> ConnectionId {
        let id = self.next_id();
        self.lines.borrow_mut().insert(id.clone(), Line::new(self.seats_of::<C>(), request));
        self.make_object(&id);
        self.settle();
        id
    }

    fn next_id(&self) -> ConnectionId {
        let number = self.opened.get() + 1;
        self.opened.set(number);
        rules::id(number)
    }

    /// Makes the object of a line that has none.
    fn make_object(self: &Rc<Self>, id: &ConnectionId) {
        let Some(request) = self.lines.borrow().get(id).map(|line| line.request.clone()) else { return };
        let socket = Socket::new(door::Socket::new(Rc::downgrade(self), id.clone()));
        self.call(id, |seats| seats.open(id, socket, request));
    }

    fn seats_of<C: Class>(&self) -> Rc<SeatsOf<C>> {
        let mut classes = self.classes.borrow_mut();
        let known = classes.iter().find_map(|class| Rc::clone(&class.any).downcast().ok());
        known.unwrap_or_else(|| {
            let seats = Rc::new(SeatsOf::<C>::default());
            classes.push(KnownClass { seats: seats.clone(), any: seats.clone() });
            seats
        })
    }

    /// A message from the client `id`; one that is too large ends it.
    pub(super) fn send(self: &Rc<Self>, id: &ConnectionId, message: Message) {
        assert!(self.is_alive(id), "the connection has ended: {:?}", self.closing(id));
        match rules::message(message.as_bytes()) {
            Ok(()) => self.call(id, |seats| seats.message(id, message)),
            Err(_) => self.close(id, Closing::new(1009, "Space limit exceeded: Message too long")),
        }
        self.settle();
    }

    /// Lets `action`, and what waits already, happen.
    pub(super) fn act(self: &Rc<Self>, action: Action) {
        self.queue(action);
        self.settle();
    }

    pub(super) fn queue(&self, action: Action) {
        self.waiting.borrow_mut().push_back(action);
    }

    /// Lets everything happen that waits, and what follows from it.
    pub(super) fn settle(self: &Rc<Self>) {
        if self.settling.replace(true) {
            return;
        }
        for _ in 0..LONGEST_CHAIN {
            let Some(action) = self.waiting.borrow_mut().pop_front() else {
                self.settling.set(false);
                return;
            };
            self.perform(action);
        }
        panic!("controllers answer each other without end: over {LONGEST_CHAIN} calls have followed from one");
    }

    fn perform(self: &Rc<Self>, action: Action) {
        match action {
            Action::Open { id } => {
                if self.is_alive(&id) {
                    self.make_object(&id);
                }
            }
            Action::Disown { owner } => self.disown(&owner),
            Action::Deliver { from, to: Target::One(target), event } => {
                if self.is_alive(&target) {
                    self.call(&target, |seats| seats.deliver(std::slice::from_ref(&target), &event));
                } else if let Some(sender) = from {
                    self.queue(Action::Undelivered { sender, target, event });
                }
            }
            Action::Deliver { from, to, event } => {
                let classes: Vec<_> = self.classes.borrow().iter().map(|class| Rc::clone(&class.seats)).collect();
                for seats in classes {
                    if matches!(&to, Target::Class(name) if name != seats.name()) {
                        continue;
                    }
                    let others: Vec<_> = seats.taken().into_iter().filter(|id| Some(id) != from.as_ref()).collect();
                    self.enter(seats.name(), || seats.deliver(&others, &event));
                }
            }
            Action::Undelivered { sender, target, event } => {
                if self.is_alive(&sender) {
                    self.call(&sender, |seats| seats.undelivered(&sender, target, event));
                }
            }
            Action::NextNotification { id, identity } => self.next_notification(&id, identity),
            Action::Replaced { id, identity } => {
                if self.is_alive(&id) {
                    self.call(&id, |seats| seats.replaced(&id, &identity));
                }
            }
            Action::End { id, closing } => self.call(&id, |seats| seats.close(&id, closing)),
            Action::Shutdown => {
                for id in self.alive() {
                    self.call(&id, |seats| seats.shutdown(&id));
                }
            }
        }
    }

    /// Puts a message into the outbox of `id`.
    pub(super) fn push(&self, id: &ConnectionId, message: Message) -> Result {
        self.somebody(id)?;
        rules::message(message.as_bytes())?;
        match self.lines.borrow_mut().get_mut(id) {
            Some(line) if line.closing.is_none() => {
                line.outbox.push_back(message);
                Ok(())
            }
            _ => Err(Fault::Gone),
        }
    }

    /// Whether there is somebody at the other end of `id`.
    pub(super) fn somebody(&self, id: &ConnectionId) -> Result {
        let lines = self.lines.borrow();
        rules::somebody(lines.get(id).is_none_or(|line| line.request.peer() != Peer::Nobody))
    }

    /// Ends `id`, unless it has ended. The first close wins.
    pub(super) fn close(&self, id: &ConnectionId, closing: Closing) {
        let mut lines = self.lines.borrow_mut();
        if let Some(line) = lines.get_mut(id)
            && line.closing.is_none()
        {
            line.closing = Some(closing.clone());
            self.forget(id);
            self.queue(Action::End { id: id.clone(), closing });
        }
    }

    /// Ends what a connection has beside its line.
    fn forget(&self, id: &ConnectionId) {
        self.mailboxes.borrow_mut().leave(id);
        self.timers.borrow_mut().leave(id);
        self.lost(id);
        self.queue(Action::Disown { owner: id.clone() });
    }

    pub(super) fn subscribe(&self, id: &ConnectionId, topic: &str) -> Result {
        if let Some(line) = self.lines.borrow_mut().get_mut(id)
            && !line.topics.contains(topic)
        {
            rules::topics(line.topics.len())?;
            line.topics.insert(topic.to_owned());
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&self, id: &ConnectionId, topic: &str) {
        if let Some(line) = self.lines.borrow_mut().get_mut(id) {
            line.topics.remove(topic);
        }
    }

    pub(super) fn publish(&self, topic: &str, message: &Message) {
        for line in self.lines.borrow_mut().values_mut() {
            if line.closing.is_none() && line.topics.contains(topic) {
                line.outbox.push_back(message.clone());
            }
        }
    }

    /// The name of the controller that `id` is a connection of.
    pub(super) fn class_name(&self, id: &ConnectionId) -> &'static str {
        self.seats(id).name()
    }

    pub(super) fn is_alive(&self, id: &ConnectionId) -> bool {
        self.lines.borrow().get(id).is_some_and(|line| line.closing.is_none())
    }

    pub(super) fn alive(&self) -> Vec<ConnectionId> {
        let lines = self.lines.borrow();
        lines.iter().filter(|(_, line)| line.closing.is_none()).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn received(&self, id: &ConnectionId) -> Vec<Message> {
        self.lines.borrow_mut().get_mut(id).map(|line| line.outbox.drain(..).collect()).unwrap_or_default()
    }

    pub(super) fn topics(&self, id: &ConnectionId) -> Vec<String> {
        self.lines.borrow().get(id).map(|line| line.topics.iter().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn closing(&self, id: &ConnectionId) -> Option<Closing> {
        self.lines.borrow().get(id)?.closing.clone()
    }

    pub(super) fn inspect<C: Class, R>(self: &Rc<Self>, id: &ConnectionId, look: impl FnOnce(&mut C) -> R) -> R {
        let seat = self.seats_of::<C>().seat(id).expect("the connection lives and its object has this type");
        self.enter(C::NAME, || look(&mut seat.borrow_mut()))
    }

    pub(super) fn services(&self) -> &Services {
        &self.services
    }

    pub(super) fn add_misfit(&self, misfit: Misfit) {
        self.misfits.borrow_mut().push(misfit);
    }

    pub(super) fn misfits(&self) -> Vec<Misfit> {
        self.misfits.borrow().clone()
    }

    pub(super) fn add_log_line(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }

    /// What the host itself has to say, whoever runs.
    pub(super) fn warn(&self, line: &str) {
        eprintln!("{line}");
        self.add_log_line(line);
    }

    pub(super) fn log_lines(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    fn seats(&self, id: &ConnectionId) -> Rc<dyn Seats> {
        let lines = self.lines.borrow();
        Rc::clone(&lines.get(id).expect("a line is kept for as long as the host").seats)
    }
}
