//! The identities of the fake host: who is registered, and what waits. What the real store does, for one server and
//! without the passing of time; who is called, and when, is the yard's business.

use std::collections::{BTreeMap, VecDeque};

use crate::event::Event;
use crate::id::ConnectionId;

/// So many notifications wait for an identity; beyond it the oldest are dropped.
const MOST_ENTRIES: usize = 1000;
/// What waits for an identity is not larger together, in bytes; beyond it the oldest are dropped.
const LARGEST_MAILBOX: usize = 1024 * 1024;

/// All identities, by name.
#[derive(Debug, Default)]
pub(super) struct Mailboxes {
    identities: BTreeMap<String, Identity>,
    /// The number of the latest notification, of whatever identity: no number comes twice, not even after a lapse.
    latest: u64,
}

/// One identity.
#[derive(Debug, Default)]
struct Identity {
    /// In the order of registration, the newest last.
    holders: Vec<Holder>,
    /// What somebody has still to handle, the oldest first.
    waiting: VecDeque<Numbered>,
    /// The highest number that a connection has handled.
    handled: u64,
    /// What was handled last, for a test that wants it again.
    handled_last: Option<Numbered>,
}

/// A connection that is registered, and the number of what it has handled last.
#[derive(Debug)]
struct Holder {
    id: ConnectionId,
    cursor: u64,
}

/// A notification with its number.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) event: Event,
}

impl Mailboxes {
    /// Registers `id` as the newest; gives those who are beyond `max_connections` for that.
    pub(super) fn register(&mut self, name: &str, id: &ConnectionId, max_connections: usize) -> Vec<ConnectionId> {
        let identity = self.identities.entry(name.to_owned()).or_default();
        let known = identity.holders.iter().position(|holder| holder.id == *id);
        let holder = match known {
            Some(position) => identity.holders.remove(position),
            None => Holder { id: id.clone(), cursor: identity.handled },
        };
        identity.holders.push(holder);
        let beyond = identity.holders.len().saturating_sub(max_connections);
        let replaced = identity.holders.drain(..beyond).map(|holder| holder.id).collect();
        identity.trim();
        replaced
    }

    pub(super) fn unregister(&mut self, name: &str, id: &ConnectionId) {
        if let Some(identity) = self.identities.get_mut(name) {
            identity.holders.retain(|holder| holder.id != *id);
            identity.trim();
        }
    }

    /// Ends all registrations of `id`.
    pub(super) fn leave(&mut self, id: &ConnectionId) {
        for name in self.names_of(id) {
            self.unregister(&name, id);
        }
    }

    /// Stores `event`, and says how many others were dropped for it; `None` if there is no such identity.
    pub(super) fn notify(&mut self, name: &str, event: Event) -> Option<usize> {
        let identity = self.identities.get_mut(name)?;
        self.latest += 1;
        let dropped = identity.make_room(cost(&event));
        identity.waiting.push_back(Numbered { number: self.latest, event });
        Some(dropped)
    }

    /// What `id` has to handle next; `None` if nothing waits for it, or it is not registered.
    pub(super) fn next(&self, name: &str, id: &ConnectionId) -> Option<Numbered> {
        let identity = self.identities.get(name)?;
        let holder = identity.holders.iter().find(|holder| holder.id == *id)?;
        identity.waiting.iter().find(|waiting| waiting.number > holder.cursor).cloned()
    }

    /// Notes that `id` has handled `handled`.
    pub(super) fn acknowledge(&mut self, name: &str, id: &ConnectionId, handled: Numbered) {
        let Some(identity) = self.identities.get_mut(name) else { return };
        identity.handled = identity.handled.max(handled.number);
        if let Some(holder) = identity.holders.iter_mut().find(|holder| holder.id == *id) {
            holder.cursor = handled.number;
        }
        identity.handled_last = Some(handled);
        identity.trim();
    }

    /// The lifetime of the identity has passed.
    pub(super) fn lapse(&mut self, name: &str) {
        self.identities.remove(name);
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.identities.contains_key(name)
    }

    /// Each registration: the name and the connection.
    pub(super) fn registrations(&self) -> Vec<(String, ConnectionId)> {
        let all =
            self.identities.iter().flat_map(|(name, identity)| identity.holders.iter().map(move |one| (name, one)));
        all.map(|(name, holder)| (name.clone(), holder.id.clone())).collect()
    }

    pub(super) fn names_of(&self, id: &ConnectionId) -> Vec<String> {
        self.registrations().into_iter().filter(|(_, holder)| holder == id).map(|(name, _)| name).collect()
    }

    pub(super) fn waiting(&self, name: &str) -> Vec<Event> {
        let identity = self.identities.get(name);
        identity.map(|identity| identity.waiting.iter().map(|one| one.event.clone()).collect()).unwrap_or_default()
    }

    pub(super) fn handled_last(&self, name: &str) -> Option<Numbered> {
        self.identities.get(name)?.handled_last.clone()
    }
}

/// What an event counts for in a mailbox: its text, and the entry that holds it.
fn cost(event: &Event) -> usize {
    event.name().len() + event.args().len() + 64
}

impl Identity {
    /// Drops the oldest until there is room for one more of this size; gives how many.
    fn make_room(&mut self, size: usize) -> usize {
        let before = self.waiting.len();
        let mut bytes: usize = self.waiting.iter().map(|waiting| cost(&waiting.event)).sum();
        while self.waiting.len() >= MOST_ENTRIES || bytes + size > LARGEST_MAILBOX {
            let Some(oldest) = self.waiting.pop_front() else { break };
            bytes -= cost(&oldest.event);
        }
        before - self.waiting.len()
    }

    /// Drops what nobody has to handle any more.
    fn trim(&mut self) {
        let done = self.holders.iter().map(|holder| holder.cursor).min().unwrap_or(self.handled);
        self.waiting.retain(|waiting| waiting.number > done);
    }
}
