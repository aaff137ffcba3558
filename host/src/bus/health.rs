//! Whether the bus reaches the other servers: what an operator asks first. It is logged when it changes, not each time
//! that something fails.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// What the bus is doing, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusHealth {
    /// Whether everything that connects this server with the others works. A server without Redis has no others.
    pub connected: bool,
    /// Since when not.
    pub degraded_since: Option<SystemTime>,
    /// What went wrong last, on one line; empty if nothing has.
    pub cause: String,
    /// Events that wait for Redis.
    pub backlog_events: usize,
    /// The bytes that they take up, of at most `redis-backlog`.
    pub backlog_bytes: usize,
}

/// Which parts of the bus are cut off, and why.
#[derive(Debug, Default)]
pub(super) struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    down: BTreeMap<String, String>,
    since: Option<(SystemTime, Instant)>,
    cause: String,
}

impl Health {
    /// A part of the bus has lost its connection, or could not get one.
    pub(super) fn down(&self, part: &str, cause: &str) {
        let mut state = self.state();
        state.down.insert(part.to_owned(), cause.to_owned());
        let new = state.cause != cause;
        state.cause = cause.to_owned();
        if state.since.is_none() {
            state.since = Some((SystemTime::now(), Instant::now()));
            tracing::warn!("redis: {cause}; other servers may not be reached until it is back");
        } else if new {
            tracing::debug!(part, "redis: {cause}");
        }
    }

    /// A part of the bus works.
    pub(super) fn up(&self, part: &str) {
        let mut state = self.state();
        if state.down.remove(part).is_some()
            && state.down.is_empty()
            && let Some((_, since)) = state.since.take()
        {
            tracing::info!("redis: back after {:?}", since.elapsed());
        }
    }

    /// Since when something has been cut off; none: all is well.
    pub(super) fn degraded_since(&self) -> Option<SystemTime> {
        self.state().since.map(|(since, _)| since)
    }

    pub(super) fn cause(&self) -> String {
        self.state().cause.clone()
    }

    /// Whether none of these parts is cut off.
    pub(super) fn is_up(&self, parts: &[&str]) -> bool {
        let state = self.state();
        !parts.iter().any(|part| state.down.contains_key(*part))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
