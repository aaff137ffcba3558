//! `sockets.timer`: events that a connection sends to itself, later. A timer ends with its handle, which the guest drops, or
//! which is dropped with the guest's store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use wasmtime::component::Resource;

use super::emitting::{self, Fault, GuestEvent};
use crate::bus::local::LocalBus;
use crate::connection::{Connection, TimerPlace};
use crate::controller::bindings::lakou::controller::sockets::HostTimer;
use crate::controller::state::GuestState;
use crate::limit::Limit;
use crate::mailbox::Work;
use crate::message::SharedEvent;

/// The shortest interval: shorter ones would be a way to keep a core busy.
const SHORTEST: Duration = Duration::from_millis(10);

/// The longest time: beyond it a timer is a mistake in the unit.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What a guest's `timer` handle stands for.
#[expect(unreachable_pub, reason = "the generated bindings re-export it under their own `pub`")]
pub struct Timer {
    task: AbortHandle,
    place: Shared,
}

/// The timer's place, shared by the handle and the task: whoever ends first gives it up, at once.
#[derive(Clone)]
struct Shared(Arc<Mutex<Option<Arc<TimerPlace>>>>);

impl Shared {
    fn new(place: TimerPlace) -> Self {
        Shared(Arc::new(Mutex::new(Some(Arc::new(place)))))
    }

    /// None: the timer has ended.
    fn get(&self) -> Option<Arc<TimerPlace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn give_up(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.task.abort();
        self.place.give_up();
    }
}

/// Whether a timer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Once,
    Always,
}

/// Sets a timer of a connection.
pub(super) fn set(
    state: &mut GuestState,
    connection: Arc<Connection>,
    milliseconds: u64,
    event: GuestEvent,
    times: Times,
) -> wasmtime::Result<Result<Resource<Timer>, Fault>> {
    let (environment, limit) = (&state.class.environment, state.class.limits.max_timers);
    let time = Duration::from_millis(milliseconds);
    if time > LONGEST {
        return Ok(Err(Fault::Invalid(format!("{milliseconds} milliseconds are over a year"))));
    }
    if times == Times::Always && time < SHORTEST {
        return Ok(Err(Fault::Invalid(format!("an interval has {SHORTEST:?} at least, not {time:?}"))));
    }
    let event = match emitting::checked(state, event) {
        Ok(event) => event,
        Err(fault) => return Ok(Err(fault)),
    };
    if connection.is_closing() {
        return Ok(Err(Fault::Gone));
    }
    let Some(place) = connection.add_timer(limit) else {
        state.class.hits.hit(Limit::Timers, format_args!("a connection has {limit} timers: another one is refused"));
        return Ok(Err(Fault::Unavailable(format!("the connection has its {limit} timers already"))));
    };
    let place = Shared::new(place);
    let run = run(Arc::clone(&environment.local), place.clone(), time, event, times);
    #[expect(clippy::disallowed_methods, reason = "the timer ends it when it is dropped")]
    let timer = Timer { task: tokio::spawn(run).abort_handle(), place };
    Ok(Ok(state.timers.push(timer)?))
}

async fn run(local: Arc<LocalBus>, place: Shared, time: Duration, event: SharedEvent, times: Times) {
    tick(&local, &place, time, &event, times).await;
    place.give_up();
}

async fn tick(local: &LocalBus, place: &Shared, time: Duration, event: &SharedEvent, times: Times) {
    let waits = Arc::new(AtomicBool::new(false));
    let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + time, time.max(SHORTEST));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        let Some(place) = place.get() else { return };
        let connection = Arc::clone(place.connection());
        if connection.is_closing() {
            return;
        }
        // A guest that is behind does not get further behind because of its timers.
        if !waits.swap(true, Ordering::AcqRel) {
            let work =
                Work::Tick { to: connection.id.key(), event: Arc::clone(event), waits: Arc::clone(&waits), place };
            if !local.put(connection.id, work) {
                return;
            }
        }
        if times == Times::Once {
            return;
        }
    }
}

impl HostTimer for GuestState {
    fn drop(&mut self, timer: Resource<Timer>) -> wasmtime::Result<()> {
        self.timers.delete(timer)?;
        Ok(())
    }
}
