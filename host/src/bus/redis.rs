//! The bus over Redis: many servers as one. An event goes to the connections of this server at once, and through a stream
//! to those of others; a message on a topic goes through pub/sub.
//!
//! ```text
//! emit ─► backlog ─► writer ─► streams `all`, one a controller, one a server ─► reader of each server ─► its mailboxes
//! publish ─► publications ─► pub/sub channel of the topic ─► subscriptions of each server ─► its outboxes
//! roster: a lease for each server; what a dead one has not read goes back to its senders
//! ```
//!
//! redis is known here, in `link` and in the store, and nowhere else.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::backlog::Backlog;
use self::entry::Body;
use self::names::{Names, Stream};
pub(crate) use self::notices::Notice;
use self::order::Position;
use self::publications::Publications;
use self::reader::Reader;
use self::roster::{Roster, Scripts};
use super::health::{BusHealth, Health};
use super::local::LocalBus;
use super::{Bus, EmitError, Envelope, NotSubscribed, OutOfReach, Target, Topic};
use crate::config::Config;
use crate::connection::Connection;
use crate::identity::Identity;
use crate::ids::{ConnectionId, ServerId, is_controller_name};
use crate::link::{Link, LinkError};
use crate::message::{Message, SharedEvent};
use crate::metrics::Metrics;
use crate::rate::{Admitted, RateLimit};

mod backlog;
mod entry;
mod lease;
mod mend;
mod names;
mod notices;
mod order;
mod publications;
mod reader;
mod receive;
mod roster;
mod senders;
mod subscriptions;
pub(crate) mod wire;
mod writer;

/// Entries that are not understood make so many lines in the log a second.
const COMPLAINTS: u32 = 5;

/// How long a server that ends tries to get rid of its backlog, and to take its leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// Reaches every connection of every server that has the same Redis and the same prefix.
pub(crate) struct RedisBus {
    shared: Arc<Shared>,
    /// Ended with the bus: first those that take from Redis, then those that give to it.
    taking: Mutex<JoinSet<()>>,
    giving: Mutex<JoinSet<()>>,
}

/// What the tasks of the bus have in common.
struct Shared {
    server: ServerId,
    settings: Arc<Config>,
    metrics: Arc<Metrics>,
    local: Arc<LocalBus>,
    link: Link,
    names: Names,
    health: Health,
    backlog: Backlog,
    publications: Publications,
    roster: Roster,
    scripts: Scripts,
    /// Set once, when the controllers are known.
    followed: OnceLock<Vec<Stream>>,
    /// How far this server's own stream has been read.
    read: Mutex<Position>,
    /// The epoch of the link in which it was seen last that nothing that Redis has confirmed is lost.
    checked: AtomicU64,
    complaints: RateLimit,
}

impl RedisBus {
    pub(crate) fn new(
        link: Link,
        server: ServerId,
        settings: &Arc<Config>,
        metrics: &Arc<Metrics>,
        local: &Arc<LocalBus>,
    ) -> Self {
        let shared = Shared {
            server,
            settings: Arc::clone(settings),
            metrics: Arc::clone(metrics),
            local: Arc::clone(local),
            names: Names::new(&settings.redis_prefix, link.database()),
            link,
            health: Health::default(),
            backlog: Backlog::new(server, settings.redis_backlog),
            publications: Publications::default(),
            roster: Roster::default(),
            scripts: Scripts::default(),
            followed: OnceLock::new(),
            read: Mutex::default(),
            checked: AtomicU64::new(0),
            complaints: RateLimit::new(COMPLAINTS),
        };
        RedisBus { shared: Arc::new(shared), taking: Mutex::default(), giving: Mutex::default() }
    }

    /// Joins the other servers, as one that has these controllers. If Redis is away, the server begins alone and joins them
    /// when it is back. Gives what other programs want to be notified, from then on.
    ///
    /// # Errors
    ///
    /// Redis is there, but will not work with us before somebody changes something.
    pub(crate) async fn join(&self, controllers: Vec<Arc<str>>) -> Result<mpsc::Receiver<Notice>, LinkError> {
        let shared = &self.shared;
        let mut streams = vec![Stream::Server(shared.server), Stream::All];
        streams.extend(controllers.into_iter().map(Stream::Controller));
        // A command that waits for several streams needs them on one node; a cluster spreads them.
        let groups: Vec<&[Stream]> =
            if shared.link.is_cluster() { streams.chunks(1).collect() } else { vec![streams.as_slice()] };
        let mut readers: Vec<Reader> = groups.into_iter().map(|group| Reader::new(shared, group)).collect();
        let _ = shared.followed.set(streams.clone());
        if let Err(error) = shared.begin(&mut readers).await {
            if error.is_refused() {
                return Err(error);
            }
            for part in readers.iter().map(Reader::part).chain([roster::PART, publications::PART]) {
                shared.health.down(part, &error.to_string());
            }
        }
        let mut taking = lock(&self.taking);
        for reader in readers {
            taking.spawn(reader.run());
        }
        taking.spawn(roster::run(Arc::clone(shared)));
        taking.spawn(subscriptions::run(Arc::clone(shared)));
        let (wanted, notices) = mpsc::channel(1);
        taking.spawn(notices::run(Arc::clone(shared), wanted));
        let mut giving = lock(&self.giving);
        giving.spawn(writer::run(Arc::clone(shared)));
        giving.spawn(publications::run(Arc::clone(shared)));
        Ok(notices)
    }

    /// Sends what waits, takes leave of the others, and ends.
    pub(crate) async fn leave(&self) {
        let shared = &self.shared;
        let mut taking = std::mem::take(&mut *lock(&self.taking));
        let farewell = async {
            shared.emptied().await;
            // Nothing renews the lease from here on, and nothing is read that is given back.
            let _busy = shared.roster.busy.lock().await;
            taking.shutdown().await;
            let left = shared.leave().await;
            // What nobody has read goes back to other servers.
            shared.emptied().await;
            left
        };
        let left = tokio::time::timeout(FAREWELL, farewell).await;
        let (events, _) = shared.backlog.size();
        if events > 0 {
            shared.metrics.events_lost.add(events);
            tracing::error!(events, "redis: the server ends with events that no other server has got");
        }
        if let Ok(Err(error)) = left {
            tracing::warn!("redis: the server could not take its leave: {error}");
        }
        lock(&self.giving).abort_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    async fn begin(&self, readers: &mut [Reader]) -> Result<(), LinkError> {
        for reader in readers {
            reader.position().await?;
        }
        self.appear().await.map(drop)
    }

    /// Resolves when Redis has everything.
    async fn emptied(&self) {
        while self.backlog.size().0 > 0 || self.publications.waits() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether one more thing that is wrong in Redis may be logged.
    fn may_complain(&self) -> bool {
        match self.complaints.admit() {
            Admitted::Yes => true,
            Admitted::FirstNo => {
                tracing::warn!("redis: more of these within this second are counted and not logged");
                false
            }
            Admitted::No => false,
        }
    }

    /// Whether a reader of this server keeps the stream alive.
    fn follows(&self, stream: &Stream) -> bool {
        self.followed.get().is_some_and(|followed| followed.contains(stream))
    }

    /// An event for one connection could not be delivered: its sender learns it, if there is one, wherever it is.
    fn return_to_sender(&self, target: ConnectionId, event: SharedEvent, from: Option<ConnectionId>) {
        self.metrics.events_undelivered.count();
        match from {
            None => {}
            Some(sender) if sender.server() == self.server => self.local.tell_undelivered(sender, target, event),
            Some(sender) => {
                let body = Body::Undelivered { event, to: sender, target };
                if self.backlog.push(Stream::Server(sender.server()), body).is_err() {
                    self.metrics.events_dropped.count();
                }
            }
        }
    }

    /// Puts an event into the backlog.
    fn send(
        &self,
        stream: Stream,
        event: SharedEvent,
        to: Option<ConnectionId>,
        from: Option<ConnectionId>,
    ) -> Result<(), EmitError> {
        self.backlog.push(stream, Body::Event { event, to, from }).map_err(|backlog::Full| {
            self.metrics.events_refused.count();
            EmitError::OutOfReach(OutOfReach)
        })
    }
}

impl Bus for RedisBus {
    fn emit(&self, envelope: Envelope) -> Result<(), EmitError> {
        let shared = &self.shared;
        let (event, from) = (Arc::clone(&envelope.event), envelope.from);
        let stream = match &envelope.to {
            Target::Connection(target) if target.server() != shared.server => {
                shared.metrics.events_emitted.count();
                if shared.roster.is_dead(target.server()) {
                    shared.return_to_sender(*target, event, from);
                    return if from.is_some() { Ok(()) } else { Err(EmitError::Gone) };
                }
                return shared.send(Stream::Server(target.server()), event, Some(*target), from);
            }
            Target::Connection(_) => return shared.local.emit(envelope),
            Target::All => Stream::All,
            // A name that no controller can have must not make a stream.
            Target::Controller(name) if !is_controller_name(name) => return shared.local.emit(envelope),
            Target::Controller(name) => Stream::Controller(name.as_str().into()),
        };
        // Those of this server do not wait for Redis, and do not do without because it is away.
        let here = shared.local.emit(envelope);
        shared.send(stream, event, None, from).and(here)
    }

    fn undelivered(&self, target: ConnectionId, event: SharedEvent, from: Option<ConnectionId>) {
        self.shared.return_to_sender(target, event, from);
    }

    fn ring(&self, holder: ConnectionId, identity: &Identity) {
        let shared = &self.shared;
        if holder.server() == shared.server {
            return shared.local.ring(holder, identity);
        }
        if shared.roster.is_dead(holder.server()) {
            return shared.local.miss(holder, identity);
        }
        let body = Body::Ring { identity: identity.clone(), to: holder };
        if shared.backlog.push(Stream::Server(holder.server()), body).is_err() {
            // It looks into its mailbox by itself, after a while.
            shared.metrics.events_refused.count();
        }
    }

    fn publish(&self, topic: &Topic, message: &Message) -> Result<(), OutOfReach> {
        let shared = &self.shared;
        let _ = shared.local.publish(topic, message);
        let payload = publications::write(message, shared.server);
        // Whether this server hears others does not matter here.
        if shared.health.is_up(&[roster::PART, writer::PART, publications::PART])
            && shared.publications.push(shared.names.channel(topic), payload).is_ok()
        {
            return Ok(());
        }
        shared.metrics.publications_lost.count();
        Err(OutOfReach)
    }

    fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Result<(), NotSubscribed> {
        self.shared.local.subscribe(topic, connection)
    }

    fn unsubscribe(&self, topic: &Topic, connection: ConnectionId) {
        self.shared.local.unsubscribe(topic, connection);
    }

    fn health(&self) -> BusHealth {
        let shared = &self.shared;
        let (backlog_events, backlog_bytes) = shared.backlog.size();
        let degraded_since = shared.health.degraded_since();
        BusHealth {
            connected: degraded_since.is_none(),
            degraded_since,
            cause: shared.health.cause(),
            backlog_events,
            backlog_bytes,
        }
    }
}
