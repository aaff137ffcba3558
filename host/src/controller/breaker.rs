//! A controller that fails again and again is backed off: its new connections and plain requests are turned away for a while,
//! and then one of them tries whether it works again. The connections that it has go on.
//!
//! A failure is a call that trapped or went over a limit. One client that knows how to make calls fail must not be able to
//! shut out all others, so failures count only where they are more than the calls that went well meanwhile: as long as others
//! get more done than that client breaks, nobody is turned away.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics::Metrics;

/// In which time so many failures are too many.
const WINDOW: Duration = Duration::from_secs(10);

/// How long the first time is that a controller is backed off; each next one is twice as long.
const FIRST: Duration = Duration::from_secs(1);

/// The longest time: an operator who has repaired something does not wait longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Who has worked for so long begins with the first time again.
const FORGOTTEN: Duration = Duration::from_secs(120);

/// How long a trial may take before another one is made: its client may have gone.
const TRIAL: Duration = Duration::from_secs(10);

/// Whether a controller may be entered by newcomers.
#[derive(Debug)]
pub(super) struct Breaker {
    controller: Arc<str>,
    metrics: Arc<Metrics>,
    most: u32,
    /// Calls that went well, ever. A `connect` and an `open` are not among them: a client brings them along at no cost.
    done: AtomicU64,
    /// Not closed; looked at before the lock is taken.
    tripped: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    window_began: Instant,
    failures: u32,
    /// `done` when the window began.
    done_before: u64,
    pause: Duration,
    recovered: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Everybody is let in.
    Closed,
    /// Nobody is, until then.
    Open(Instant),
    /// One is in, and another one may be from then on.
    Trial(Instant),
}

impl Breaker {
    pub(super) fn new(controller: Arc<str>, metrics: Arc<Metrics>, most: usize) -> Self {
        let state = State {
            phase: Phase::Closed,
            window_began: Instant::now(),
            failures: 0,
            done_before: 0,
            pause: FIRST,
            recovered: None,
        };
        Breaker {
            controller,
            metrics,
            most: u32::try_from(most).unwrap_or(u32::MAX),
            done: AtomicU64::new(0),
            tripped: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Whether a newcomer is let in; if not, when to come back.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        if !self.tripped.load(Ordering::Acquire) {
            return Ok(());
        }
        self.admit_at(Instant::now()).inspect_err(|_| self.metrics.backed_off_refused.count())
    }

    /// So many calls went well.
    pub(super) fn done(&self, calls: usize) {
        self.done.fetch_add(calls as u64, Ordering::Relaxed);
    }

    /// A newcomer got what it wanted: who was on trial has passed.
    pub(super) fn welcomed(&self) {
        if self.tripped.load(Ordering::Acquire) {
            self.welcomed_at(Instant::now());
        }
    }

    /// A call failed.
    pub(super) fn failed(&self) {
        self.failed_at(Instant::now());
    }

    fn admit_at(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.phase {
            Phase::Closed => Ok(()),
            Phase::Open(until) | Phase::Trial(until) if now < until => Err(until - now),
            Phase::Open(_) | Phase::Trial(_) => {
                state.phase = Phase::Trial(now + TRIAL);
                Ok(())
            }
        }
    }

    fn welcomed_at(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(state.phase, Phase::Trial(_)) {
            return;
        }
        state.phase = Phase::Closed;
        state.recovered = Some(now);
        self.begin_window(&mut state, now);
        self.tripped.store(false, Ordering::Release);
        drop(state);
        self.metrics.recovered.count();
        tracing::info!("controller {}: works again: connections and requests are let in", self.controller);
    }

    fn failed_at(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.phase {
            Phase::Open(_) => {}
            Phase::Trial(_) => {
                state.pause = (state.pause * 2).min(LONGEST);
                state.phase = Phase::Open(now + state.pause);
                tracing::debug!("controller {}: still fails: backed off for {:?} more", self.controller, state.pause);
            }
            Phase::Closed => {
                if now.saturating_duration_since(state.window_began) >= WINDOW {
                    self.begin_window(&mut state, now);
                }
                state.failures = state.failures.saturating_add(1);
                let done = self.done.load(Ordering::Relaxed) - state.done_before;
                if state.failures < self.most || u64::from(state.failures) <= done {
                    return;
                }
                let relapse = state.recovered.is_some_and(|recovered| now - recovered < FORGOTTEN);
                state.pause = if relapse { (state.pause * 2).min(LONGEST) } else { FIRST };
                state.phase = Phase::Open(now + state.pause);
                self.tripped.store(true, Ordering::Release);
                let (failures, pause) = (state.failures, state.pause);
                drop(state);
                self.metrics.backed_off.count();
                tracing::warn!(
                    "controller {}: backed off for {pause:?}: {failures} calls failed in a short time, {done} went well; new \
                     connections and requests get 503",
                    self.controller
                );
            }
        }
    }

    fn begin_window(&self, state: &mut State, now: Instant) {
        state.window_began = now;
        state.failures = 0;
        state.done_before = self.done.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new("chat".into(), Arc::default(), 3)
    }

    fn fail(breaker: &Breaker, times: u32, now: Instant) {
        (0..times).for_each(|_| breaker.failed_at(now));
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn some_failures_are_nothing_and_more_are_too_many() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, 2, now);
        assert!(breaker.admit().is_ok());
        fail(&breaker, 1, now);
        assert_eq!(breaker.admit_at(now), Err(FIRST));
        assert!(breaker.admit().is_err());
        let counted = breaker.metrics.snapshot();
        assert_eq!((counted.backed_off, counted.backed_off_refused), (1, 1));
    }

    #[test]
    fn failures_that_are_far_apart_do_not_add_up() {
        let (breaker, now) = (breaker(), Instant::now());
        for round in 0..10 {
            fail(&breaker, 2, now + WINDOW * round);
        }
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn one_who_breaks_less_than_others_get_done_shuts_nobody_out() {
        let (breaker, now) = (breaker(), Instant::now());
        breaker.done(1000);
        fail(&breaker, 1000, now);
        assert!(breaker.admit().is_ok());
        fail(&breaker, 1, now);
        assert!(breaker.admit().is_err());
    }

    #[test]
    fn one_tries_whether_it_works_again() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, 3, now);
        let later = now + FIRST;
        assert_eq!(breaker.admit_at(later), Ok(()));
        assert_eq!(breaker.admit_at(later), Err(TRIAL), "one only");
        fail(&breaker, 1, later);
        assert_eq!(breaker.admit_at(later), Err(2 * FIRST), "longer each time");
        let later = later + 2 * FIRST;
        assert_eq!(breaker.admit_at(later), Ok(()));
        assert_eq!(breaker.admit_at(later + TRIAL), Ok(()), "the first one has not come back");
        breaker.welcomed_at(later + TRIAL);
        assert_eq!(breaker.admit_at(later + TRIAL), Ok(()));
        assert_eq!(breaker.admit_at(later + TRIAL), Ok(()), "all of them");
        let counted = breaker.metrics.snapshot();
        assert_eq!((counted.backed_off, counted.recovered), (1, 1));
    }

    #[test]
    fn a_relapse_takes_longer_up_to_a_bound() {
        let (breaker, mut now) = (breaker(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            fail(&breaker, 3, now);
            let pause = breaker.admit_at(now).expect_err("backed off");
            now += pause;
            assert_eq!(breaker.admit_at(now), Ok(()));
            breaker.welcomed_at(now);
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        now += FORGOTTEN + SECOND;
        fail(&breaker, 3, now);
        assert_eq!(breaker.admit_at(now), Err(FIRST));
    }
}
