//! What all controllers of a server share: the engine with its imports, the bus, the counters and the settings.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use wasmtime::component::Linker;

use super::dial::Dial;
use super::engine::{self, Dimensions};
use super::imports;
use super::plain::MOST_WAITING;
use super::state::GuestState;
use crate::bus::Bus;
use crate::bus::local::LocalBus;
use crate::bus::redis::RedisBus;
use crate::config::{Config, GuestLimits};
use crate::connection::Connection;
use crate::identities::Identities;
use crate::ids::ServerId;
use crate::link::Link;
use crate::mailbox::Drain;
use crate::metrics::Metrics;
use crate::shutdown::Alive;
use crate::store::Store;
use crate::store::keyvalue::KeyValue;

/// Shared by every class, instance and session of one server.
pub(crate) struct Environment {
    pub(crate) server: ServerId,
    pub(crate) settings: Arc<Config>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where controllers emit to.
    pub(crate) bus: Arc<dyn Bus>,
    /// Where the instances and connections of this server are listed; the last part of every bus.
    pub(crate) local: Arc<LocalBus>,
    /// The part of the bus that joins other servers, if there may be any.
    pub(crate) redis: Option<Arc<RedisBus>>,
    pub(crate) identities: Arc<Identities>,
    /// Keys and values of all controllers.
    pub(crate) values: Arc<dyn KeyValue>,
    /// Held by every task that must end before the server has ended.
    pub(crate) alive: Alive,
    /// One an engine, which has one size of stack.
    linkers: Vec<(Dimensions, Linker<GuestState>)>,
    /// Connections outwards that controllers ask for. Bounded by `max-outward` of each.
    pub(super) dials: mpsc::UnboundedSender<Dial>,
    slots: Arc<Semaphore>,
    request_slots: Arc<Semaphore>,
    /// One permit an instance that has answered a request and waits for another.
    waiting_instances: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

impl Environment {
    /// Starts the engine.
    pub(crate) fn start(
        settings: Arc<Config>,
        metrics: Arc<Metrics>,
        link: Option<Link>,
        store: Arc<dyn Store>,
        values: Arc<dyn KeyValue>,
        alive: Alive,
        dials: mpsc::UnboundedSender<Dial>,
    ) -> wasmtime::Result<Self> {
        let (instances, requests) = (settings.max_instances, settings.max_requests);
        let linkers = linkers(&settings)?;
        let local = Arc::new(LocalBus::new(Arc::clone(&metrics), settings.max_topics));
        let server = ServerId::random();
        let redis = link.map(|link| Arc::new(RedisBus::new(link, server, &settings, &metrics, &local)));
        let bus: Arc<dyn Bus> = match &redis {
            Some(redis) => Arc::clone(redis) as _,
            None => Arc::clone(&local) as _,
        };
        let identities =
            Identities::new(store, Arc::clone(&bus), Arc::clone(&local), Arc::clone(&metrics), Arc::clone(&settings));
        Ok(Environment {
            server,
            bus,
            identities,
            values,
            redis,
            local,
            alive,
            linkers,
            dials,
            slots: Arc::new(Semaphore::new(instances as usize)),
            request_slots: Arc::new(Semaphore::new(requests as usize)),
            waiting_instances: Arc::new(Semaphore::new(MOST_WAITING)),
            stopping: watch::Sender::new(false),
            settings,
            metrics,
        })
    }

    /// A connection has ended, or its object has: it can not be reached any more. It is closing already.
    pub(super) fn end_connection(&self, connection: &Connection) {
        self.local.remove_connection(connection);
        self.identities.end(connection.id);
    }

    /// No new connections from here on; the ones there are learn it and are closed within the drain time.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
        self.local.shut_down(Drain { begins: Instant::now(), lasts: self.settings.drain_time });
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Resolves for those who hold what would keep the server from its end.
    pub(super) fn stops(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// The engine for controllers with so much stack, what it is dimensioned for, and what they may import.
    pub(super) fn linker(&self, stack: usize) -> &(Dimensions, Linker<GuestState>) {
        let fitting = self.linkers.iter().find(|(dimensions, _)| dimensions.stack == stack);
        fitting.unwrap_or(&self.linkers[0])
    }

    /// One permit an instance for connections; the engine's pool has room for as many as there are permits of both kinds.
    pub(super) fn slots(&self) -> &Arc<Semaphore> {
        &self.slots
    }

    /// One permit an instance that waits for another plain request, for which the pool has room of its own.
    pub(super) fn waiting_instances(&self) -> &Arc<Semaphore> {
        &self.waiting_instances
    }

    /// One permit an instance for a plain request. Requests do not take the place of connections, however slow they are.
    pub(super) fn request_slots(&self) -> &Arc<Semaphore> {
        &self.request_slots
    }
}

/// An engine for each size of stack that a controller is to have; those of everybody come first.
fn linkers(settings: &Config) -> wasmtime::Result<Vec<(Dimensions, Linker<GuestState>)>> {
    let limits: Vec<GuestLimits> = settings.all_limits().collect();
    let most = |value: fn(&GuestLimits) -> usize| limits.iter().map(value).max().unwrap_or_default();
    let reused = limits.iter().any(|limits| limits.requests_per_instance > 1);
    let waiting = if reused { u32::try_from(MOST_WAITING).unwrap_or(u32::MAX) } else { 0 };
    let mut linkers: Vec<(Dimensions, Linker<GuestState>)> = Vec::new();
    for GuestLimits { stack, .. } in &limits {
        if linkers.iter().any(|(dimensions, _)| dimensions.stack == *stack) {
            continue;
        }
        let dimensions = Dimensions {
            instances: settings.max_instances + settings.max_requests + waiting,
            memory: most(|limits| limits.memory),
            table_elements: most(|limits| limits.table_elements),
            stack: *stack,
        };
        linkers.push((dimensions, imports::linker(&engine::start(dimensions)?)?));
    }
    Ok(linkers)
}
