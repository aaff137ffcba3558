//! The timers of the fake host, and the clock that the test moves. Who is called is the yard's business.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::Event;
use crate::id::ConnectionId;

/// All timers that run, by number; a later one has a higher number.
#[derive(Debug, Default)]
pub(super) struct Timers {
    now: Duration,
    latest: u64,
    running: BTreeMap<u64, Running>,
}

#[derive(Debug)]
struct Running {
    id: ConnectionId,
    due: Duration,
    /// None: once.
    interval: Option<Duration>,
    event: Event,
}

impl Timers {
    /// Sets a timer and gives its number.
    pub(super) fn set(&mut self, id: &ConnectionId, time: Duration, repeats: bool, event: Event) -> u64 {
        self.latest += 1;
        let interval = repeats.then_some(time);
        self.running.insert(self.latest, Running { id: id.clone(), due: self.now + time, interval, event });
        self.latest
    }

    pub(super) fn cancel(&mut self, number: u64) {
        self.running.remove(&number);
    }

    /// Ends all timers of `id`.
    pub(super) fn leave(&mut self, id: &ConnectionId) {
        self.running.retain(|_, timer| timer.id != *id);
    }

    /// How many timers of `id` run.
    pub(super) fn count(&self, id: &ConnectionId) -> usize {
        self.running.values().filter(|timer| timer.id == *id).count()
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// Moves the clock to the next timer that is due until `end`, and gives what it is for; to `end` if there is none.
    pub(super) fn advance(&mut self, end: Duration) -> Option<(ConnectionId, Event)> {
        let next = self.running.iter().map(|(number, timer)| (timer.due, *number)).min();
        let Some((due, number)) = next.filter(|(due, _)| *due <= end) else {
            self.now = end;
            return None;
        };
        self.now = due;
        let timer = self.running.get_mut(&number)?;
        let what = (timer.id.clone(), timer.event.clone());
        match timer.interval {
            Some(interval) => timer.due += interval,
            None => self.cancel(number),
        }
        Some(what)
    }
}
