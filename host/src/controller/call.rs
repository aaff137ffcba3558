//! Calling into a guest under its limits, and naming the cause when a call fails.

use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::Store;

use super::class::Class;
use super::engine_errors::{Exceeded, exceeded};
use super::meter::Clock;
use super::state::GuestState;
use crate::limit::Limit;
use crate::text::printable;

/// Why a call into a guest failed. The store it ran in is not to be used again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("it used more than {0:?} of CPU")]
    Cpu(Duration),
    #[error("it was not back after {0:?}")]
    Time(Duration),
    #[error("its answer stood still for {0:?}")]
    Silence(Duration),
    #[error("memory was refused, and the guest gave up: {0}")]
    Memory(String),
    #[error("it recursed deeper than {0} bytes of stack")]
    Stack(usize),
    #[error("it asked for more than {0} handles beside those of connections and timers")]
    Handles(usize),
    #[error("it handed over more than {0} bytes at once")]
    Handover(usize),
    #[error("{0}")]
    Trap(String),
}

impl CallError {
    /// The limit that ended the call, if it was one.
    fn limit(&self) -> Option<Limit> {
        match self {
            CallError::Cpu(_) => Some(Limit::CpuTime),
            CallError::Time(_) => Some(Limit::CallTime),
            CallError::Silence(_) => Some(Limit::StreamTimeout),
            CallError::Stack(_) => Some(Limit::Stack),
            CallError::Handles(_) => Some(Limit::Handles),
            CallError::Handover(_) => Some(Limit::Handover),
            // The refused growth itself is what was over the limit.
            CallError::Memory(_) | CallError::Trap(_) => None,
        }
    }
}

/// Readies a store for the next call.
pub(super) fn begin(store: &mut Store<GuestState>) {
    let state = store.data_mut();
    state.meter.begin();
    state.memory.begin();
    store.set_epoch_deadline(1);
}

/// Awaits a call. It may take `call_time` from its beginning, or from its last sign of life; a call that makes a stream may be
/// silent as long as its clock says.
///
/// # Cancel safety
///
/// Not cancel safe: dropping it, or its running out of time, leaves a store that must be discarded.
pub(super) async fn within<T>(
    call_time: Duration,
    clock: &Clock,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Ended> {
    let mut call = std::pin::pin!(call);
    let mut timer = std::pin::pin!(tokio::time::sleep(call_time));
    let mut seen = clock.moves();
    let limit = || clock.silence().unwrap_or(call_time);
    std::future::poll_fn(|context| {
        if let Poll::Ready(result) = clock.poll(call.as_mut(), context) {
            return Poll::Ready(result.map_err(Ended::Error));
        }
        let moves = clock.moves();
        if moves != seen {
            seen = moves;
            timer.as_mut().reset(Instant::now() + limit());
        }
        while timer.as_mut().poll(context).is_ready() {
            // What moves a body is another task, which does not wake this one.
            let moves = clock.moves();
            let end = clock.moved_at() + limit();
            if moves == seen || end <= Instant::now() {
                return Poll::Ready(Err(Ended::Late));
            }
            seen = moves;
            timer.as_mut().reset(end);
        }
        Poll::Pending
    })
    .await
}

/// How a call ended that did not return.
#[derive(Debug)]
pub(super) enum Ended {
    Error(wasmtime::Error),
    Late,
}

impl Class {
    /// Names the cause, counts it and logs it.
    pub(super) fn failed(&self, ended: Ended, state: &GuestState, doing: &str) {
        let metrics = &self.environment.metrics;
        if !state.batch.was_told_gone() {
            self.breaker.failed();
        }
        let error = match ended {
            Ended::Late => {
                metrics.time_exceeded.count();
                match state.clock.silence() {
                    Some(silence) => CallError::Silence(silence),
                    None => CallError::Time(self.limits.call_time),
                }
            }
            Ended::Error(_) if state.meter.exceeded() => {
                metrics.cpu_exceeded.count();
                CallError::Cpu(self.limits.cpu_time)
            }
            Ended::Error(error) => {
                metrics.traps.count();
                // The guest's frames are for those who debug the guest.
                tracing::debug!(controller = %self.name, "{error:?}");
                let cause = || error.root_cause().to_string();
                match exceeded(&error) {
                    Some(Exceeded::Stack) => CallError::Stack(self.limits.stack),
                    Some(Exceeded::Handles) => CallError::Handles(self.limits.max_handles),
                    Some(Exceeded::Handover) => CallError::Handover(self.shares.handover),
                    None if state.memory.refused() => CallError::Memory(cause()),
                    None => CallError::Trap(cause()),
                }
            }
        };
        let connections: Vec<String> = state.batch.at_fault().iter().take(4).map(ToString::to_string).collect();
        let connections = connections.join(",");
        if let Some(limit) = error.limit() {
            let whose = if connections.is_empty() { String::new() } else { format!(", connections {connections}") };
            self.hits.hit(limit, format_args!("{doing} was ended: {error}{whose}"));
        } else if self.output.admit() {
            let error = printable(&error.to_string()).into_owned();
            tracing::warn!(controller = %self.name, connections, "{doing} failed: {error}");
        }
    }
}
