//! `sockets.timer`: events that a connection sends to itself, later. A timer ends with its handle, which the guest drops, or
//! which is dropped with the guest's store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use wasmtime::component::Resource;

use super::emitting::{self, Fault, GuestEvent};
use crate::bus::local::LocalBus;
use crate::connection::Connection;
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
pub struct Timer(AbortHandle);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
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
    let event = match emitting::checked(event, environment.settings.max_event) {
        Ok(event) => event,
        Err(fault) => return Ok(Err(fault)),
    };
    if connection.is_closing() {
        return Ok(Err(Fault::Gone));
    }
    if !connection.add_timer(limit) {
        state.class.hits.hit(Limit::Timers, format_args!("a connection has {limit} timers: another one is refused"));
        return Ok(Err(Fault::Unavailable(format!("the connection has its {limit} timers already"))));
    }
    let run = run(Arc::clone(&environment.local), Running(connection), time, event, times);
    let timer = Timer(tokio::spawn(run).abort_handle());
    Ok(Ok(state.table.push(timer)?))
}

/// Counted as one of its connection's timers until it is dropped.
struct Running(Arc<Connection>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.remove_timer();
    }
}

async fn run(local: Arc<LocalBus>, running: Running, time: Duration, event: SharedEvent, times: Times) {
    let Running(connection) = &running;
    let waits = Arc::new(AtomicBool::new(false));
    let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + time, time.max(SHORTEST));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        if connection.is_closing() {
            return;
        }
        // A guest that is behind does not get further behind because of its timers.
        if !waits.swap(true, Ordering::AcqRel) {
            let work = Work::Tick { to: connection.id.key(), event: Arc::clone(&event), waits: Arc::clone(&waits) };
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
        self.table.delete(timer)?;
        Ok(())
    }
}
