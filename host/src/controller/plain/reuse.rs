//! Instances that have answered a plain request and wait for the next one, where the operator allows it. Each answers one
//! request at a time; one that has failed is never here.

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

    /// Takes out those that have waited for `WAIT`, and says when the next one has; none: nobody waits, and nobody watches.
    fn lapsed(&self) -> (Vec<WaitingInstance>, Option<Instant>) {
        let mut list = self.list();
        let now = Instant::now();
        let lapsed = list.waiting.iter().take_while(|waiting| waiting.since + WAIT <= now).count();
        let lapsed = list.waiting.drain(..lapsed).collect();
        let next = list.waiting.first().map(|waiting| waiting.since + WAIT);
        list.watched = next.is_some();
        (lapsed, next)
    }
}

/// Keeps an instance for the next request of its class, if there is room for it.
pub(super) fn keep(class: &Arc<Class>, places: &Arc<Semaphore>, instance: Reusable) {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else { return };
    let mut list = class.waiting_instances.list();
    list.waiting.push(WaitingInstance { since: Instant::now(), instance, _place: place });
    if std::mem::replace(&mut list.watched, true) {
        return;
    }
    drop(list);
    let class = Arc::downgrade(class);
    #[expect(clippy::disallowed_methods, reason = "it ends when no instance waits any more, or with its class")]
    tokio::spawn(async move {
        while let Some(class) = class.upgrade() {
            let (lapsed, next) = class.waiting_instances.lapsed();
            drop((lapsed, class));
            let Some(next) = next else { return };
            tokio::time::sleep_until(next).await;
        }
    });
}
