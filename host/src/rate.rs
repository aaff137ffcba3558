//! So many of something in a second, or one in a while, and no more: what others can make the host write into its log.

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

/// How often there is a line about what happens again and again.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// One line in ten seconds; each tells of how many there was none.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    line: Option<Instant>,
    /// Without a line since then.
    since: u64,
}

impl Seldom {
    /// What is to be said behind a line about this one; none: there is to be no line.
    pub(crate) fn admit(&self) -> Option<String> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.line.is_some_and(|line| line.elapsed() < LINE_EVERY) {
            last.since += 1;
            return None;
        }
        let before = std::mem::replace(&mut *last, Last { line: Some(Instant::now()), since: 0 }).since;
        Some(if before == 0 { String::new() } else { format!(" ({before} times more since the last line)") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_those_without_one() {
        let seldom = Seldom::default();
        assert_eq!(seldom.admit().as_deref(), Some(""));
        assert!(seldom.admit().is_none() && seldom.admit().is_none());
        seldom.0.lock().expect("nobody else").line = Instant::now().checked_sub(LINE_EVERY);
        assert_eq!(seldom.admit().as_deref(), Some(" (2 times more since the last line)"));
        assert!(seldom.admit().is_none());
    }

    #[test]
    fn the_first_refusal_is_told_apart() {
        let limit = RateLimit::new(2);
        let said: Vec<Admitted> = (0..5).map(|_| limit.admit()).collect();
        assert_eq!(said, [Admitted::Yes, Admitted::Yes, Admitted::FirstNo, Admitted::No, Admitted::No]);
    }
}
