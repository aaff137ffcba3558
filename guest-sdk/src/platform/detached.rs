//! The handles of timers that a controller has let go of. To the host a dropped handle is a cancelled timer, so somebody
//! holds them until their events have come.
//!
//! The host does not say when that is, so a handle is dropped by the clock, long enough after its time.

use std::cell::RefCell;
use std::time::{Duration, Instant};

/// So many handles are held without a look at the clock. It is the host's usual bound on the timers that run.
const FEW: usize = 64;

/// The host may be late with an event, by no more than this.
const GRACE: Duration = Duration::from_secs(10);

/// More handles are not held: the one whose time came first goes. To get there takes 4096 timers in the time of grace,
/// and a handle is some hundred bytes here and in the host.
const MANY: usize = 4096;

/// The detached timers of one connection.
#[derive(Debug)]
pub(crate) struct Detached<T>(RefCell<Vec<Held<T>>>);

#[derive(Debug)]
struct Held<T> {
    /// When the event comes; none: again and again.
    due: Option<Instant>,
    _handle: T,
}

impl<T> Default for Detached<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> Detached<T> {
    /// Holds `handle` until its event has come, which is due at `due`; none: for as long as the connection.
    pub(crate) fn hold(&self, handle: T, due: Option<Instant>, now: Instant) {
        let mut held = self.0.borrow_mut();
        if held.len() >= FEW {
            held.retain(|held| held.due.is_none_or(|due| due + GRACE > now));
        }
        if held.len() >= MANY
            && let Some((_, first)) = held.iter().enumerate().filter_map(|(at, held)| Some((held.due?, at))).min()
        {
            held.swap_remove(first);
        }
        held.push(Held { due, _handle: handle });
    }
}

#[cfg(test)]
mod tests {
    use std::rc::{Rc, Weak};

    use super::{Detached, Duration, FEW, GRACE, Instant, MANY};

    /// Holds a handle and gives the means to see whether it lives.
    fn hold(detached: &Detached<Rc<()>>, due: Option<Instant>, now: Instant) -> Weak<()> {
        let handle = Rc::new(());
        let seen = Rc::downgrade(&handle);
        detached.hold(handle, due, now);
        seen
    }

    #[test]
    fn handles_are_held_until_their_time_is_well_past() {
        let detached = Detached::default();
        let start = Instant::now();
        let later = start + Duration::from_secs(3600);
        let always = hold(&detached, None, start);
        let far = hold(&detached, Some(later + Duration::from_secs(1)), start);
        let near: Vec<_> = (2..FEW).map(|_| hold(&detached, Some(start), start)).collect();
        assert!(near.iter().all(|near| near.strong_count() == 1));

        let during_grace = hold(&detached, Some(later), start + GRACE / 2);
        assert!(near.iter().all(|near| near.strong_count() == 1));
        hold(&detached, Some(later), start + GRACE);
        assert!(near.iter().all(|near| near.strong_count() == 0));
        assert!([&always, &far, &during_grace].iter().all(|held| held.strong_count() == 1));

        drop(detached);
        assert!([&always, &far, &during_grace].iter().all(|held| held.strong_count() == 0));
    }

    #[test]
    fn there_is_a_bound() {
        let detached = Detached::default();
        let now = Instant::now();
        let always = hold(&detached, None, now);
        let last = hold(&detached, Some(now + Duration::from_secs(2)), now);
        let first = hold(&detached, Some(now), now);
        for _ in 3..=MANY {
            hold(&detached, Some(now + Duration::from_secs(1)), now);
        }
        assert_eq!(detached.0.borrow().len(), MANY);
        assert_eq!([always, first, last].map(|held| held.strong_count()), [1, 0, 1]);
    }
}
