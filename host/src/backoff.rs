//! How long to wait before trying again: longer each time, up to a bound, and never at the same moment as others.

use std::time::Duration;

use tokio::time::Instant;

use crate::ids::random_bits;

/// The first wait: a restarted process is back in less.
const FIRST: Duration = Duration::from_millis(50);

/// The longest wait: what comes back is found again within a second.
const LONGEST: Duration = Duration::from_secs(1);

/// The first wait where each attempt costs somebody an instance or a handshake: a process that restarts is back in about that.
const FIRST_FAR: Duration = Duration::from_millis(500);

/// The longest wait there: what always fails is tried twice a minute, and what comes back is not missed for long.
const LONGEST_FAR: Duration = Duration::from_secs(30);

/// What has lived so long was good: the next failure begins from the start.
const SETTLED: Duration = Duration::from_secs(10);

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

    /// For lives that are begun anew, a service or a connection outwards: with longer waits.
    pub(crate) fn between_lives() -> Self {
        Backoff::between(FIRST_FAR, LONGEST_FAR)
    }

    fn between(first: Duration, longest: Duration) -> Self {
        Backoff { first, longest, next: first }
    }

    /// One life has ended, which began at that time.
    pub(crate) fn lived(&mut self, since: Instant) {
        if since.elapsed() >= SETTLED {
            self.reset();
        }
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
