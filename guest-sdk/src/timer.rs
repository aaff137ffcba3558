//! The handle of an event to come, see [`Socket::after`](crate::Socket::after) and [`Socket::every`](crate::Socket::every).

use std::time::Duration;

use crate::platform;

/// An event that will come. Dropping it cancels the event, but for one that is on its way already: a method that must not
/// be called any more looks at its own state.
///
/// Keep it in a field for as long as the event is wanted, or [`detach`](Self::detach) it.
#[derive(Debug)]
#[must_use = "a timer that is dropped is cancelled: keep it in a field, or `detach` it"]
pub struct Timer {
    platform: platform::Timer,
}

impl Timer {
    pub(crate) fn new(platform: platform::Timer) -> Self {
        Self { platform }
    }

    /// Lets the timer run without its handle: nothing but the end of the connection's object ends it any more.
    pub fn detach(self) {
        self.platform.detach();
    }
}

/// The contract's unit. A started millisecond is a whole one: no event comes early.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Duration, milliseconds};

    #[test]
    fn a_started_millisecond_is_a_whole_one() {
        for (time, expected) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(10), 10),
            (Duration::from_micros(10_001), 11),
            (Duration::MAX, u64::MAX),
        ] {
            assert_eq!(milliseconds(time), expected, "{time:?}");
        }
    }
}
