//! How long to wait before trying again: longer each time, up to a bound, and never at the same moment as others.

use std::time::Duration;

use crate::ids::random_bits;

/// The first wait: a restarted process is back in less.
const FIRST: Duration = Duration::from_millis(50);

/// The longest wait: what comes back is found again within a second.
const LONGEST: Duration = Duration::from_secs(1);

/// The waits between attempts at one thing.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Backoff::between(FIRST, LONGEST)
    }

    /// With a first and a longest wait of its own.
    pub(crate) fn between(first: Duration, longest: Duration) -> Self {
        Backoff { first, longest, next: first }
    }

    /// It worked: the next failure begins from the start.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits, half of the time at least; the rest is random, so that a fleet does not come back as one.
    pub(crate) async fn pause(&mut self) {
        let random = f64::from(u32::try_from(random_bits(32)).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        let pause = self.next.mul_f64(0.5 + random / 2.0);
        self.next = (self.next * 2).min(self.longest);
        tokio::time::sleep(pause).await;
    }
}
