//! The fake host's side of identities: who is called for what the mailboxes hold.

use std::rc::Rc;

use super::{Action, Yard};
use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::notification::Notification;
use crate::testing::rules;

impl Yard {
    /// Registers `id`, tells those whom it replaces, and hands it what waits.
    pub(in crate::testing) fn register(&self, id: &ConnectionId, identity: &str, max_connections: u32) {
        let most = usize::try_from(max_connections).unwrap_or(usize::MAX);
        for replaced in self.mailboxes.borrow_mut().register(identity, id, most) {
            self.queue(Action::Replaced { id: replaced, identity: identity.to_owned() });
        }
        self.queue(Action::NextNotification { id: id.clone(), identity: identity.to_owned() });
    }

    /// Whether `id` may be `identity`, too.
    pub(in crate::testing) fn room_for(&self, id: &ConnectionId, identity: &str) -> Result {
        let known = self.identities(id);
        if known.iter().any(|name| name == identity) { Ok(()) } else { rules::identities(known.len()) }
    }

    pub(in crate::testing) fn unregister(&self, id: &ConnectionId, identity: &str) {
        self.mailboxes.borrow_mut().unregister(identity, id);
    }

    /// Stores `event` and lets the connections of `identity` have it; `false` if there is no such identity.
    pub(in crate::testing) fn notify(&self, identity: &str, event: Event) -> bool {
        let stored = self.mailboxes.borrow_mut().notify(identity, event);
        if stored.is_some_and(|dropped| dropped > 0) {
            self.warn(&format!("the mailbox of `{identity}` is full: its oldest notifications are dropped"));
        }
        self.queue_notifications();
        stored.is_some()
    }

    /// The next notification of `identity` that `id` has not handled, then the one after it.
    pub(super) fn next_notification(self: &Rc<Self>, id: &ConnectionId, identity: String) {
        if self.store_away.get() || !self.is_alive(id) {
            return;
        }
        // Nothing stays borrowed while the handler runs: it may notify, or register as somebody else.
        let next = self.mailboxes.borrow().next(&identity, id);
        if let Some(next) = next {
            self.call_for(id, &identity, next.number, &next.event);
            self.mailboxes.borrow_mut().acknowledge(&identity, id, next);
            self.queue(Action::NextNotification { id: id.clone(), identity });
        }
    }

    fn call_for(self: &Rc<Self>, id: &ConnectionId, identity: &str, number: u64, event: &Event) {
        let notification = Notification::new(identity.to_owned(), number.to_string().into());
        self.call(id, |seats| seats.notify(id, notification, event));
    }

    /// What was handled last comes again, as if nobody had noted that it was.
    pub(in crate::testing) fn repeat_notification(self: &Rc<Self>, identity: &str) {
        let last = self.mailboxes.borrow().handled_last(identity).expect("a notification of this identity was handled");
        for id in self.registrations().into_iter().filter(|(name, _)| name == identity).map(|(_, id)| id) {
            self.call_for(&id, identity, last.number, &last.event);
        }
        self.settle();
    }

    pub(in crate::testing) fn is_identity(&self, identity: &str) -> bool {
        self.mailboxes.borrow().exists(identity)
    }

    pub(in crate::testing) fn lapse(&self, identity: &str) {
        self.mailboxes.borrow_mut().lapse(identity);
    }

    pub(in crate::testing) fn mailbox(&self, identity: &str) -> Vec<Event> {
        self.mailboxes.borrow().waiting(identity)
    }

    pub(in crate::testing) fn identities(&self, id: &ConnectionId) -> Vec<String> {
        self.mailboxes.borrow().names_of(id)
    }

    /// What was stored while the store was away is handed out when it is back.
    pub(in crate::testing) fn set_store_away(self: &Rc<Self>, away: bool) {
        self.store_away.set(away);
        self.queue_notifications();
        self.settle();
    }

    pub(in crate::testing) fn reach_store(&self) -> Result {
        match self.store_away.get() {
            false => Ok(()),
            true => Err(Fault::Unavailable("the store is away".to_owned())),
        }
    }

    fn queue_notifications(&self) {
        for (identity, id) in self.registrations() {
            self.queue(Action::NextNotification { id, identity });
        }
    }

    fn registrations(&self) -> Vec<(String, ConnectionId)> {
        self.mailboxes.borrow().registrations()
    }
}
