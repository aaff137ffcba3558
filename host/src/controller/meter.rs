//! How much CPU a guest call has used, and how far it has come.
//!
//! Nothing is measured until a tick interrupts the guest, so a short call costs nothing. What counts is the CPU time of the
//! thread while the call is being polled, not the wall clock: a guest is not charged for a busy machine, nor for what
//! others do on its thread while it waits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::UpdateDeadline;

/// The clock of the current call of one store, shared with what polls the call from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock(Arc<Readings>);

#[derive(Debug, Default)]
struct Readings {
    /// The thread's CPU time, in nanoseconds, from which on nothing is counted yet; 0: no tick has come so far.
    since: AtomicU64,
    /// CPU time counted so far, in nanoseconds.
    used: AtomicU64,
    /// Items of a batch that the call has come to.
    steps: AtomicU32,
    /// Signs of life that renew the wall-clock limit: the steps, and pieces of bodies that have moved.
    moves: AtomicU32,
    /// When the last piece moved, in milliseconds since the clock was made.
    moved_at: AtomicU64,
    /// How long nothing may move, in milliseconds; 0: as long as a call may take.
    silence: AtomicU64,
    made: Made,
}

/// When a clock was made, as the runtime's timers count.
#[derive(Debug)]
struct Made(tokio::time::Instant);

impl Default for Made {
    fn default() -> Self {
        Made(tokio::time::Instant::now())
    }
}

impl Clock {
    fn begin(&self) {
        self.0.since.store(0, Ordering::Relaxed);
        self.0.used.store(0, Ordering::Relaxed);
    }

    /// The call has come to its next item, which has limits of its own.
    pub(super) fn step(&self) {
        self.0.steps.fetch_add(1, Ordering::Relaxed);
        // Without the time: who polls the call sees it in the same moment.
        self.0.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// A piece of a body has moved, in whatever task: the wall-clock limit begins anew.
    pub(super) fn moved(&self) {
        self.0.moved_at.store(millis(self.0.made.0.elapsed()), Ordering::Relaxed);
        self.0.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on the call makes a stream, which may be silent for so long.
    pub(super) fn streams(&self, silence: Duration) {
        self.0.silence.store(millis(silence), Ordering::Relaxed);
        self.moved();
    }

    /// How long nothing may move, if it is not as long as a call may take.
    pub(super) fn silence(&self) -> Option<Duration> {
        Some(self.0.silence.load(Ordering::Relaxed)).filter(|millis| *millis > 0).map(Duration::from_millis)
    }

    /// When a piece moved last.
    pub(super) fn moved_at(&self) -> tokio::time::Instant {
        self.0.made.0 + Duration::from_millis(self.0.moved_at.load(Ordering::Relaxed))
    }

    pub(super) fn moves(&self) -> u32 {
        self.0.moves.load(Ordering::Relaxed)
    }

    /// Polls `call` with this clock running.
    pub(super) fn poll<F: Future>(&self, call: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Readings { since, .. } = &*self.0;
        if since.load(Ordering::Relaxed) != 0 {
            since.store(thread_cpu_nanos(), Ordering::Relaxed);
        }
        let polled = call.poll(context);
        if since.load(Ordering::Relaxed) != 0 {
            self.count();
        }
        polled
    }

    /// Counts what this thread has done since the last count; the first time there is nothing to compare with.
    fn count(&self) -> Duration {
        let Readings { since, used, .. } = &*self.0;
        let now = thread_cpu_nanos();
        let before = since.swap(now, Ordering::Relaxed);
        let more = if before == 0 { 0 } else { now.saturating_sub(before) };
        Duration::from_nanos(used.fetch_add(more, Ordering::Relaxed) + more)
    }
}

/// The CPU budget of the calls of one store.
#[derive(Debug)]
pub(super) struct Meter {
    budget: Duration,
    refill: Duration,
    clock: Clock,
    began: Instant,
    steps_seen: u32,
    exceeded: bool,
}

impl Meter {
    /// From the next call on.
    pub(super) fn measure_by(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// A call may use `budget`, and as much again for each `refill` that it has lasted: a request that streams for an hour
    /// uses more than one that is answered at once, but never more than its share of a core.
    pub(super) fn new(budget: Duration, refill: Duration, clock: Clock) -> Self {
        Meter { budget, refill, clock, began: Instant::now(), steps_seen: 0, exceeded: false }
    }

    /// A new call begins, with a new budget.
    pub(super) fn begin(&mut self) {
        self.clock.begin();
        self.began = Instant::now();
    }

    /// Whether the last call was ended by the meter.
    pub(super) fn exceeded(&self) -> bool {
        self.exceeded
    }

    /// A tick has interrupted the guest: let others run and then go on, or end the call.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        let used = self.clock.count();
        let steps = self.clock.0.steps.load(Ordering::Relaxed);
        if steps != self.steps_seen {
            // The next item of a batch has its own budget; what was counted up to now may belong to either.
            self.steps_seen = steps;
            self.clock.0.used.store(0, Ordering::Relaxed);
            self.began = Instant::now();
        } else if used >= self.budget.saturating_add(self.refilled()) {
            self.exceeded = true;
            return UpdateDeadline::Interrupt;
        }
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
    }

    fn refilled(&self) -> Duration {
        self.budget.mul_f64(self.began.elapsed().as_secs_f64() / self.refill.as_secs_f64())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn thread_cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs();
    nanos.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn burn(milliseconds: u64) {
        let start = thread_cpu_nanos();
        while thread_cpu_nanos() - start < milliseconds * 1_000_000 {}
    }

    /// A call that burns so long before each tick; returns whether it came to its end.
    async fn call(clock: &Clock, meter: &mut Meter, stretches: &[u64], between: impl Fn()) -> bool {
        let call = async {
            for stretch in stretches {
                match meter.tick() {
                    UpdateDeadline::YieldCustom(_, yielding) => yielding.await,
                    _ => return false,
                }
                burn(*stretch);
                between();
            }
            !matches!(meter.tick(), UpdateDeadline::Interrupt)
        };
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|context| clock.poll(call.as_mut(), context)).await
    }

    #[tokio::test]
    async fn a_call_is_charged_for_itself_only() {
        let clock = Clock::default();
        let mut meter = Meter::new(Duration::from_millis(40), 1000 * SECOND, clock.clone());
        meter.begin();
        // On the one thread of this test another task burns whenever the call yields.
        let other = tokio::spawn(async {
            loop {
                burn(30);
                tokio::task::yield_now().await;
            }
        });
        assert!(call(&clock, &mut meter, &[5, 5, 5, 5], || ()).await, "others' CPU is not its own");
        meter.begin();
        assert!(!call(&clock, &mut meter, &[15, 15, 15, 15], || ()).await, "its own is");
        assert!(meter.exceeded());
        other.abort();
    }

    #[tokio::test]
    async fn each_step_has_its_own_budget() {
        let clock = Clock::default();
        let mut meter = Meter::new(Duration::from_millis(40), 1000 * SECOND, clock.clone());
        meter.begin();
        assert!(call(&clock, &mut meter, &[25; 6], || clock.step()).await);
    }

    #[tokio::test]
    async fn the_budget_of_a_long_call_grows() {
        let clock = Clock::default();
        let mut meter = Meter::new(Duration::from_millis(20), Duration::from_millis(20), clock.clone());
        meter.begin();
        assert!(call(&clock, &mut meter, &[15; 4], || ()).await, "as fast as it is spent");
    }
}
