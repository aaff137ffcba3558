//! Instances that have answered a plain request and wait for the next one, where the operator allows it. Each answers one
//! request at a time; one that has failed, or keeps what it should have dropped, is never here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::Proxy;

use crate::controller::class::Class;
use crate::controller::state::GuestState;

/// Instances of all controllers that wait at a time. The engine has room for so many beside those at work; one more is dropped.
pub(in crate::controller) const MOST_WAITING: usize = 64;

/// How long an instance waits. Long enough for a steady trickle, short enough that a night does not hold a day's memory.
const WAIT: Duration = Duration::from_secs(10);

/// An instance for plain requests.
pub(super) struct Reusable {
    pub(super) store: Store<GuestState>,
    pub(super) proxy: Proxy,
    /// Requests that it has answered.
    pub(super) answered: usize,
}

/// The instances of one controller that wait.
#[derive(Default)]
pub(in crate::controller) struct WaitingInstances(Mutex<List>);

#[derive(Default)]
struct List {
    /// The one that has waited longest comes first, and is used last: the others are in the caches.
    waiting: Vec<WaitingInstance>,
    /// A task looks after those that have waited for long.
    watched: bool,
}

struct WaitingInstance {
    since: Instant,
    instance: Reusable,
    // Given back after the store, which is dropped first.
    _place: OwnedSemaphorePermit,
}

impl WaitingInstances {
    pub(super) fn take(&self) -> Option<Reusable> {
        self.list().waiting.pop().map(|waiting| waiting.instance)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // Nothing in a section can panic half-way, so a poisoned lock still guards a whole list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out those that have waited since `since`, and says when the next one has waited for long; none: nobody waits, and
    /// nobody watches.
    fn lapsed(&self, since: Instant) -> (Vec<WaitingInstance>, Option<Instant>) {
        let mut list = self.list();
        let lapsed = list.waiting.iter().take_while(|waiting| waiting.since <= since).count();
        let lapsed = list.waiting.drain(..lapsed).collect();
        let next = list.waiting.first().map(|waiting| waiting.since + WAIT);
        list.watched = next.is_some();
        (lapsed, next)
    }
}

/// Keeps an instance for the next request of its class, if there is room for it.
pub(super) fn keep(class: &Arc<Class>, places: &Arc<Semaphore>, mut instance: Reusable) {
    if instance.store.data_mut().handles() > class.limits.max_handles / 2 {
        // It never drops what it is given, and would soon fail a request for that.
        return;
    }
    let Ok(place) = Arc::clone(places).try_acquire_owned() else { return };
    let mut list = class.waiting_instances.list();
    list.waiting.push(WaitingInstance { since: Instant::now(), instance, _place: place });
    if std::mem::replace(&mut list.watched, true) {
        return;
    }
    drop(list);
    let mut stops = class.environment.stops();
    // Not weak: the instances hold their class, and so it and the server's `Alive` are there for as long as one waits.
    let class = Arc::clone(class);
    #[expect(clippy::disallowed_methods, reason = "it ends when no instance waits any more, or when the server stops")]
    tokio::spawn(async move {
        let mut wait = WAIT;
        loop {
            let now = Instant::now();
            let (lapsed, next) = class.waiting_instances.lapsed(now.checked_sub(wait).unwrap_or(now));
            drop(lapsed);
            let Some(next) = next else { return };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                _ = stops.wait_for(|stopping| *stopping) => wait = Duration::ZERO,
            }
        }
    });
}
