//! A token bucket: so many of something in a second on average, and so many at once. It keeps no time of its own, because
//! its callers often know it already.

use std::time::{Duration, Instant};

/// What a bucket is filled with, and how far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) per_second: u32,
    pub(crate) burst: u32,
}

/// What is left of a rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Bucket { tokens: rate.burst.into(), filled: now }
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }

    /// Takes all tokens at once, if there are `least`; else says how long it takes until there are.
    pub(crate) fn take_all(&mut self, least: u32, rate: Rate, now: Instant) -> Result<u32, Duration> {
        self.fill(rate, now);
        if self.tokens < f64::from(least) {
            return Err(Duration::from_secs_f64((f64::from(least) - self.tokens) / f64::from(rate.per_second)));
        }
        let whole = self.tokens.floor();
        self.tokens -= whole;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to burst")]
        Ok(whole as u32)
    }

    /// Whether it is as if nothing had ever been taken.
    pub(crate) fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        self.tokens >= f64::from(rate.burst)
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let earned = now.saturating_duration_since(self.filled).as_secs_f64() * f64::from(rate.per_second);
        self.tokens = (self.tokens + earned).min(rate.burst.into());
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 5 };

    #[test]
    fn a_burst_and_then_the_rate() {
        let begin = Instant::now();
        let mut bucket = Bucket::full(RATE, begin);
        let taken = (0..20).filter(|_| bucket.take(RATE, begin)).count();
        assert_eq!(taken, 5);
        assert!(!bucket.take(RATE, begin + Duration::from_millis(99)));
        assert!(bucket.take(RATE, begin + Duration::from_millis(101)));
        assert!(!bucket.is_full(RATE, begin + Duration::from_millis(400)));
        assert!(bucket.is_full(RATE, begin + Duration::from_millis(700)), "and never more than full");
        let taken = (0..20).filter(|_| bucket.take(RATE, begin + Duration::from_hours(1))).count();
        assert_eq!(taken, 5);
    }

    #[test]
    fn all_at_once_or_a_time_to_wait() {
        let begin = Instant::now();
        let mut bucket = Bucket::full(RATE, begin);
        assert_eq!(bucket.take_all(1, RATE, begin), Ok(5));
        assert_eq!(bucket.take_all(2, RATE, begin), Err(Duration::from_millis(200)));
        assert_eq!(bucket.take_all(2, RATE, begin + Duration::from_millis(310)), Ok(3));
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing() {
        let begin = Instant::now() + Duration::from_secs(5);
        let mut bucket = Bucket::full(Rate { per_second: 1, burst: 1 }, begin);
        assert!(bucket.take(RATE, begin));
        assert!(!bucket.take(RATE, begin - Duration::from_secs(5)));
    }
}
