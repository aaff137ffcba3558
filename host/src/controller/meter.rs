//! How much CPU a guest call has used. Nothing is measured until a tick interrupts the guest, so a short call costs nothing.
//!
//! What counts is the CPU time of the thread, not the wall clock: a guest is not charged for a busy machine. A call may move
//! between threads whenever it yields, so each stretch between two yields is measured by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::UpdateDeadline;

/// The CPU time of the current call of one store.
#[derive(Debug)]
pub(super) struct Meter {
    budget: Duration,
    used: Duration,
    /// The thread's CPU time, in nanoseconds, when the guest was last let run; 0: it was not looked at.
    running_since: Arc<AtomicU64>,
    progress: Progress,
    /// The value of `progress` that `used` belongs to.
    progress_seen: u32,
    exceeded: bool,
}

impl Meter {
    pub(super) fn new(budget: Duration, progress: Progress) -> Self {
        Meter {
            budget,
            used: Duration::ZERO,
            running_since: Arc::default(),
            progress,
            progress_seen: 0,
            exceeded: false,
        }
    }

    /// A new call begins, with a new budget.
    pub(super) fn begin(&mut self) {
        self.used = Duration::ZERO;
        self.running_since.store(0, Ordering::Relaxed);
    }

    /// Whether the last call was ended by the meter.
    pub(super) fn exceeded(&self) -> bool {
        self.exceeded
    }

    /// A tick has interrupted the guest: let others run and then go on, or end the call.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        let now = thread_cpu_nanos();
        let since = self.running_since.load(Ordering::Relaxed);
        let progress = self.progress.value();
        if progress != self.progress_seen {
            // The next message of a batch has its own budget; what was spent before this tick may belong to either.
            self.progress_seen = progress;
            self.used = Duration::ZERO;
        } else if since != 0 {
            self.used += Duration::from_nanos(now.saturating_sub(since));
        }
        if self.used >= self.budget {
            self.exceeded = true;
            return UpdateDeadline::Interrupt;
        }
        let running_since = Arc::clone(&self.running_since);
        UpdateDeadline::YieldCustom(
            1,
            Box::pin(async move {
                tokio::task::yield_now().await;
                running_since.store(thread_cpu_nanos(), Ordering::Relaxed);
            }),
        )
    }
}

/// How far a call has come; limits of a call hold for each step. Shared with what watches the call from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicU32>);

impl Progress {
    pub(super) fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

fn thread_cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs();
    nanos.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(time: Duration) {
        let start = thread_cpu_nanos();
        while thread_cpu_nanos() - start < u64::try_from(time.as_nanos()).expect("short") {}
    }

    /// One tick as the engine does it, the yield included.
    async fn tick(meter: &mut Meter) -> bool {
        match meter.tick() {
            UpdateDeadline::YieldCustom(_, yielding) => {
                yielding.await;
                true
            }
            _ => false,
        }
    }

    #[tokio::test]
    async fn cpu_time_is_charged_and_waiting_is_not() {
        let mut meter = Meter::new(Duration::from_millis(20), Progress::default());
        meter.begin();
        assert!(tick(&mut meter).await);
        std::thread::sleep(Duration::from_millis(60));
        assert!(tick(&mut meter).await, "asleep is not running");
        burn(Duration::from_millis(15));
        assert!(tick(&mut meter).await);
        burn(Duration::from_millis(15));
        assert!(!tick(&mut meter).await);
        assert!(meter.exceeded());
    }

    #[tokio::test]
    async fn each_step_has_its_own_budget() {
        let progress = Progress::default();
        let mut meter = Meter::new(Duration::from_millis(20), progress.clone());
        meter.begin();
        for _ in 0..4 {
            assert!(tick(&mut meter).await);
            burn(Duration::from_millis(15));
            progress.step();
        }
        assert!(!meter.exceeded());
    }
}
