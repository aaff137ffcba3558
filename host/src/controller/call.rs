//! Calling into a guest under its limits, and naming the cause when a call fails.

use std::time::Duration;

use wasmtime::{Store, Trap};

use super::class::Class;
use super::meter::Clock;
use super::state::GuestState;

/// Why a call into a guest failed. The store it ran in is not to be used again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("over cpu-time: more than {0:?} of CPU for one call")]
    Cpu(Duration),
    #[error("over call-time: not back after {0:?}")]
    Time(Duration),
    #[error("over memory: growth beyond {0} bytes was refused, and the guest gave up: {1}")]
    Memory(usize, String),
    #[error("stack overflow: recursion too deep")]
    Stack,
    #[error("{0}")]
    Trap(String),
}

/// Readies a store for the next call.
pub(super) fn begin(store: &mut Store<GuestState>) {
    let state = store.data_mut();
    state.meter.begin();
    state.memory.begin();
    store.set_epoch_deadline(1);
}

/// Awaits a call. It may take `call_time`, counted anew when that has passed and the call has moved on meanwhile, so that a
/// single step takes twice the time at the most.
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
    loop {
        let before = clock.moves();
        let polled = std::future::poll_fn(|context| clock.poll(call.as_mut(), context));
        match tokio::time::timeout(call_time, polled).await {
            Ok(result) => return result.map_err(Ended::Error),
            Err(_elapsed) if clock.moves() != before => {}
            Err(_elapsed) => return Err(Ended::Late),
        }
    }
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
        let error = match ended {
            Ended::Late => {
                metrics.time_exceeded.count();
                CallError::Time(self.limits.call_time)
            }
            Ended::Error(_) if state.meter.exceeded() => {
                metrics.cpu_exceeded.count();
                CallError::Cpu(self.limits.cpu_time)
            }
            Ended::Error(error) => {
                metrics.traps.count();
                // The guest's frames are for those who debug the guest.
                tracing::debug!(controller = %self.name, "{error:?}");
                let cause = error.root_cause().to_string();
                if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
                    CallError::Stack
                } else if state.memory.refused() {
                    CallError::Memory(self.limits.memory, cause)
                } else {
                    CallError::Trap(cause)
                }
            }
        };
        if !self.output.admit() {
            return;
        }
        let connections: Vec<String> = state.batch.at_fault().iter().take(4).map(ToString::to_string).collect();
        tracing::warn!(controller = %self.name, connections = connections.join(","), "{doing} failed: {error}");
    }
}
