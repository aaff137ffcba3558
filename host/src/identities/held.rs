//! What the connections of this server hold, as far as this server knows. The store decides; here is noted who is rung, and
//! what is being asked of the store, so that an answer that comes late undoes nothing that came after.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::NotRegistered;
use crate::bell::Bell;
use crate::bus::local::LocalBus;
use crate::connection::{Connection, ServedPlace};
use crate::identity::Identity;
use crate::ids::{ConnectionId, ConnectionKey};
use crate::store::Terms;

/// Who holds what.
pub(super) struct Held {
    local: Arc<LocalBus>,
    limit: usize,
    state: Mutex<State>,
    /// The store has answered for one of those that are being forgotten.
    forgotten: Notify,
}

#[derive(Default)]
struct State {
    registrations: HashMap<ConnectionKey, HashMap<Identity, Registration>>,
    /// The store is being told that these are no holders.
    forgetting: HashSet<(ConnectionId, Identity)>,
}

struct Registration {
    bell: Arc<Bell>,
    terms: Terms,
    /// When the lifetime began that runs, or later.
    renewed: Instant,
    /// How many ask the store to register it, now, and how often that was done.
    asking: u32,
    asked: u64,
}

/// The store is being asked to register a connection. Ends when it is dropped.
pub(super) struct Asking<'h> {
    held: &'h Held,
    connection: ConnectionId,
    identity: Identity,
    pub(super) bell: Arc<Bell>,
    /// It was not registered before, and nobody serves it yet: the place of who will.
    pub(super) new: Option<ServedPlace>,
}

/// What was known of a registration before the store was asked about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(u64);

impl Held {
    pub(super) fn new(local: Arc<LocalBus>, limit: usize) -> Self {
        Held { local, limit, state: Mutex::default(), forgotten: Notify::new() }
    }

    /// Notes that the connection is about to be registered; it is rung from here on.
    pub(super) async fn begin(
        &self,
        connection: &Connection,
        identity: &Identity,
        terms: &Terms,
    ) -> Result<Asking<'_>, NotRegistered> {
        let id = connection.id;
        loop {
            let forgotten = self.forgotten.notified();
            {
                let mut state = self.state();
                // Under the lock, and `end` comes after the close: nothing is noted for who has ended.
                if connection.is_closing() {
                    return Err(NotRegistered::Gone);
                }
                if !state.forgetting.contains(&(id, identity.clone())) {
                    return self.note(&mut state, connection, identity, terms);
                }
            }
            // The store would take what was said of the last registration for the end of this one.
            forgotten.await;
        }
    }

    fn note(
        &self,
        state: &mut State,
        connection: &Connection,
        identity: &Identity,
        terms: &Terms,
    ) -> Result<Asking<'_>, NotRegistered> {
        let id = connection.id;
        let theirs = state.registrations.get(&id.key());
        let mut new = None;
        if !theirs.is_some_and(|theirs| theirs.contains_key(identity)) {
            if theirs.map_or(0, HashMap::len) >= self.limit {
                return Err(NotRegistered::TooMany(self.limit));
            }
            // Whoever served a registration that has been ended may still be at it, and has notifications in its hands.
            let place = connection.served_place(self.limit.saturating_mul(2));
            new = Some(place.ok_or(NotRegistered::TooFast(self.limit))?);
        }
        let theirs = state.registrations.entry(id.key()).or_default();
        let registration = theirs.entry(identity.clone()).or_insert_with(|| Registration {
            bell: self.local.hang_bell(id, identity),
            terms: terms.clone(),
            renewed: Instant::now(),
            asking: 0,
            asked: 0,
        });
        registration.terms = terms.clone();
        registration.asking += 1;
        let bell = Arc::clone(&registration.bell);
        Ok(Asking { held: self, connection: id, identity: identity.clone(), bell, new })
    }

    /// On which terms it is registered; none if it has been ended, or if its identity has lapsed.
    pub(super) fn terms(&self, connection: ConnectionId, identity: &Identity, bell: &Arc<Bell>) -> Option<Terms> {
        let mut state = self.state();
        let registration = state.find(connection, identity, bell)?;
        (registration.renewed.elapsed() < registration.terms.lifetime).then(|| registration.terms.clone())
    }

    /// What is known of a registration; none if it has been ended.
    pub(super) fn look(&self, connection: ConnectionId, identity: &Identity, bell: &Arc<Bell>) -> Option<Seen> {
        self.state().find(connection, identity, bell).map(|registration| Seen(registration.asked))
    }

    /// Ends a registration of which the store says that it is none, unless it was asked for one meanwhile.
    pub(super) fn end_unless_asked(
        &self,
        connection: ConnectionId,
        identity: &Identity,
        bell: &Arc<Bell>,
        seen: Seen,
    ) -> bool {
        let mut state = self.state();
        let unasked = state
            .find(connection, identity, bell)
            .is_some_and(|registration| registration.asking == 0 && Seen(registration.asked) == seen);
        unasked && self.end_in(&mut state, connection, identity)
    }

    /// Its lifetime begins anew.
    pub(super) fn renewed(&self, connection: ConnectionId, identity: &Identity, bell: &Arc<Bell>) {
        if let Some(registration) = self.state().find(connection, identity, bell) {
            registration.renewed = Instant::now();
        }
    }

    /// Whether the connection is registered, or about to be.
    pub(super) fn holds(&self, connection: ConnectionId, identity: &Identity) -> bool {
        let state = self.state();
        state.registrations.get(&connection.key()).is_some_and(|theirs| theirs.contains_key(identity))
    }

    /// The end of one registration.
    pub(super) fn end(&self, connection: ConnectionId, identity: &Identity) -> bool {
        self.end_in(&mut self.state(), connection, identity)
    }

    /// The end of all registrations of a connection: what it was registered as.
    pub(super) fn end_all(&self, connection: ConnectionId) -> Vec<Identity> {
        let Some(theirs) = self.state().registrations.remove(&connection.key()) else { return Vec::new() };
        for (identity, registration) in &theirs {
            registration.bell.end();
            self.local.take_down_bell(connection, identity);
        }
        theirs.into_keys().collect()
    }

    /// Notes that the store is about to be told that this is no holder. False: it is one, since.
    pub(super) fn begin_forgetting(&self, holder: ConnectionId, identity: &Identity) -> bool {
        let mut state = self.state();
        let theirs = state.registrations.get(&holder.key());
        if theirs.is_some_and(|theirs| theirs.contains_key(identity)) {
            return false;
        }
        state.forgetting.insert((holder, identity.clone()))
    }

    pub(super) fn end_forgetting(&self, holder: ConnectionId, identity: &Identity) {
        self.state().forgetting.remove(&(holder, identity.clone()));
        self.forgotten.notify_waiters();
    }

    fn end_in(&self, state: &mut State, connection: ConnectionId, identity: &Identity) -> bool {
        let Some(theirs) = state.registrations.get_mut(&connection.key()) else { return false };
        let ended = theirs.remove(identity);
        if theirs.is_empty() {
            state.registrations.remove(&connection.key());
        }
        let Some(registration) = ended else { return false };
        registration.bell.end();
        self.local.take_down_bell(connection, identity);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The registration whose bell this is.
    fn find(&mut self, connection: ConnectionId, identity: &Identity, bell: &Arc<Bell>) -> Option<&mut Registration> {
        let registration = self.registrations.get_mut(&connection.key())?.get_mut(identity)?;
        Arc::ptr_eq(&registration.bell, bell).then_some(registration)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(registration) = self.held.state().find(self.connection, &self.identity, &self.bell) {
            registration.asking -= 1;
            registration.asked += 1;
        }
        // Whoever has found that it is none may look again.
        self.bell.ring();
    }
}
