//! Identities at work: registering connections, notifying, and bringing what waits in a mailbox to the connections that
//! hold the identity. What is stored, and how, is the matter of `store`; how a ring gets to another server that of `bus`.
//!
//! ```text
//! notify ─► store ─► a ring for each holder ─► its pump ─► mailbox of its instance ─► handler ─► store: handled
//! ```
//!
//! A notification counts as handled when a handler has returned, and not before: whatever ends in between, it comes again.

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::bus::local::LocalBus;
use crate::bus::{Bus, Notice};
use crate::config::Config;
use crate::connection::Connection;
use crate::identity::Identity;
use crate::ids::ConnectionId;
use crate::message::SharedEvent;
use crate::metrics::Metrics;
use crate::rate::{Admitted, RateLimit};
use crate::store::{Bounds, Owner, Store, StoreError, Terms, in_time};

mod held;
mod inbox;
mod leaving;
mod pump;
#[cfg(test)]
mod tests;

pub(crate) use self::pump::Postman;

/// How long an identity lives if its controller does not say.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often a handler may fail on a notification.
const ATTEMPTS: u32 = 5;

/// How many mailboxes are looked into at a time: after Redis was away, all of them are to be.
const LOOKING: usize = 64;

/// Lines about dropped and failed notifications a second.
const LINES: u32 = 10;

/// The identities of one server's connections.
pub(crate) struct Identities {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    local: Arc<LocalBus>,
    metrics: Arc<Metrics>,
    settings: Arc<Config>,
    held: held::Held,
    leaving: leaving::Leaving,
    looking: Semaphore,
    lines: RateLimit,
    forgetful: Once,
    tasks: Mutex<JoinSet<()>>,
}

/// What a controller asks for when it registers a connection.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) lifetime: Option<Duration>,
    pub(crate) max_connections: Option<u32>,
    pub(crate) owner: Owner,
}

/// Why a connection is not registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRegistered {
    #[error("the connection has ended")]
    Gone,
    #[error("the connection has its {0} identities already")]
    TooMany(usize),
    /// It has registered and unregistered faster than it was served.
    #[error("handlers are still busy with what the connection's {0} identities were before")]
    TooFast(usize),
    #[error("max-connections is 0; at least one connection is needed")]
    Nobody,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The bounds of every mailbox.
pub(crate) fn bounds(settings: &Config) -> Bounds {
    Bounds { entries: settings.mailbox_entries, bytes: settings.mailbox_size as u64, attempts: ATTEMPTS }
}

impl Identities {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        local: Arc<LocalBus>,
        metrics: Arc<Metrics>,
        settings: Arc<Config>,
    ) -> Arc<Self> {
        Arc::new(Identities {
            store,
            bus,
            held: held::Held::new(Arc::clone(&local), settings.max_identities),
            local,
            metrics,
            settings,
            leaving: leaving::Leaving::default(),
            looking: Semaphore::new(LOOKING),
            lines: RateLimit::new(LINES),
            forgetful: Once::new(),
            tasks: Mutex::default(),
        })
    }

    /// Begins to tell the store of those who have left, and to take in what other programs want to be notified.
    pub(crate) fn start(self: &Arc<Self>, notices: Option<mpsc::Receiver<Notice>>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(Arc::clone(self).see_off());
        if let Some(notices) = notices {
            tasks.spawn(Arc::clone(self).take_in(notices));
        }
    }

    /// Makes the connection a holder of the identity, and brings to it what waits and what will come. `time` is what the
    /// call has.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the connection may be registered in the store, and nobody serves it; its end ends that, too.
    pub(crate) async fn register(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        identity: Identity,
        wish: Wish,
        postman: Arc<Postman>,
        time: Duration,
    ) -> Result<(), NotRegistered> {
        let terms = self.terms(&identity, wish)?;
        if self.settings.redis.is_none() && self.settings.data.is_none() {
            self.forgetful.call_once(|| {
                tracing::warn!(
                    "identities and their mailboxes live in memory only; `data` names a folder that keeps them"
                );
            });
        }
        let id = connection.id;
        // Rung from here on: what is notified after the store knows of the connection is not missed.
        let mut asking = in_time(time, async { Ok(self.held.begin(connection, &identity, &terms).await) }).await??;
        let registered = match in_time(time, self.store.register(&identity, id, terms)).await {
            Ok(registered) => registered,
            Err(error) => {
                // If it was registered before, it still may be; who serves it finds out.
                if asking.new.is_some() {
                    self.held.end(id, &identity);
                    self.leaving.push(id, identity);
                }
                return Err(error.into());
            }
        };
        let (bell, new) = (Arc::clone(&asking.bell), asking.new.take());
        drop(asking);
        for other in registered.pushed_out {
            self.bus.ring(other, &identity);
        }
        if connection.is_closing() {
            // Its end may have come and gone while the store was asked.
            self.held.end(id, &identity);
            self.leaving.push(id, identity);
            return Err(NotRegistered::Gone);
        }
        self.held.renewed(id, &identity, &bell);
        if let Some(place) = new {
            self.pump(Arc::clone(connection), identity, bell, postman, place);
        }
        Ok(())
    }

    /// The end of `register`.
    pub(crate) async fn unregister(
        &self,
        connection: &Connection,
        identity: &Identity,
        time: Duration,
    ) -> Result<(), NotRegistered> {
        let id = connection.id;
        if connection.is_closing() {
            return Err(NotRegistered::Gone);
        }
        self.held.end(id, identity);
        let unregistered = in_time(time, self.store.unregister(identity, id)).await;
        if unregistered.is_err() {
            self.leaving.push(id, identity.clone());
        }
        Ok(unregistered?)
    }

    /// As [`notify`](Self::notify), by a guest whose call has this time.
    pub(crate) async fn notify_in(
        &self,
        time: Duration,
        identity: &Identity,
        event: &SharedEvent,
    ) -> Result<bool, StoreError> {
        in_time(time, self.notify(identity, event)).await
    }

    /// Stores an event for the identity, and rings for those who hold it. False: there is no such identity.
    async fn notify(&self, identity: &Identity, event: &SharedEvent) -> Result<bool, StoreError> {
        let Some(notified) = self.store.notify(identity, event).await? else { return Ok(false) };
        self.metrics.notifications.count();
        if notified.dropped > 0 {
            self.metrics.notifications_dropped.add(usize::try_from(notified.dropped).unwrap_or(usize::MAX));
            if self.lines.admit() == Admitted::Yes {
                tracing::warn!(%identity, dropped = notified.dropped, "the mailbox is full: its oldest notifications are dropped");
            }
        }
        for holder in notified.holders {
            self.bus.ring(holder, identity);
        }
        Ok(true)
    }

    /// Whether there is such an identity.
    pub(crate) async fn registered(&self, identity: &Identity, time: Duration) -> Result<bool, StoreError> {
        in_time(time, self.store.registered(identity)).await
    }

    /// Whether the connection is one of this identity's, as far as this server knows.
    pub(crate) fn holds(&self, connection: ConnectionId, identity: &Identity) -> bool {
        self.held.holds(connection, identity)
    }

    /// The connection has ended, and with it its registrations.
    pub(crate) fn end(&self, connection: ConnectionId) {
        for identity in self.held.end_all(connection) {
            self.leaving.push(connection, identity);
        }
    }

    fn terms(&self, identity: &Identity, wish: Wish) -> Result<Terms, NotRegistered> {
        let shortest = self.settings.shortest_lifetime;
        let wanted = wish.lifetime.unwrap_or(LIFETIME);
        if wanted < shortest && self.lines.admit() == Admitted::Yes {
            tracing::warn!(%identity, "a lifetime of {wanted:?} is raised to {shortest:?}, the shortest there is");
        }
        match wish.max_connections.unwrap_or(1) {
            0 => Err(NotRegistered::Nobody),
            max_connections => Ok(Terms { owner: wish.owner, lifetime: wanted.max(shortest), max_connections }),
        }
    }
}
