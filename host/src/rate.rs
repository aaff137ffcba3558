//! So many of something in a second, and no more: what others can make the host write into its log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts in windows of one second.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    count: u32,
}

/// Whether one more may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    Yes,
    /// No, and it is the first that may not: the moment to say so.
    FirstNo,
    No,
}

impl RateLimit {
    pub(crate) fn new(per_second: u32) -> Self {
        RateLimit { per_second, window: Mutex::new(Window { began: Instant::now(), count: 0 }) }
    }

    pub(crate) fn admit(&self) -> Admitted {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.elapsed() >= Duration::from_secs(1) {
            *window = Window { began: Instant::now(), count: 0 };
        }
        window.count = window.count.saturating_add(1);
        match window.count.checked_sub(self.per_second) {
            None | Some(0) => Admitted::Yes,
            Some(1) => Admitted::FirstNo,
            Some(_) => Admitted::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_is_told_apart() {
        let limit = RateLimit::new(2);
        let said: Vec<Admitted> = (0..5).map(|_| limit.admit()).collect();
        assert_eq!(said, [Admitted::Yes, Admitted::Yes, Admitted::FirstNo, Admitted::No, Admitted::No]);
    }
}
