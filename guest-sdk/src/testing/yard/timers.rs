//! The fake host's side of timers: setting them, and letting time pass.

use std::rc::Rc;
use std::time::Duration;

use super::{Action, Target, Yard};
use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::testing::rules;

impl Yard {
    /// Sets a timer of `id` and gives its number.
    pub(in crate::testing) fn set_timer(
        &self,
        id: &ConnectionId,
        time: Duration,
        repeats: bool,
        event: Event,
    ) -> Result<u64> {
        let mut timers = self.timers.borrow_mut();
        rules::timers(timers.count(id))?;
        Ok(timers.set(id, time, repeats, event))
    }

    pub(in crate::testing) fn cancel_timer(&self, number: u64) {
        self.timers.borrow_mut().cancel(number);
    }

    pub(in crate::testing) fn timers(&self, id: &ConnectionId) -> usize {
        self.timers.borrow().count(id)
    }

    /// The time on the clock that the test moves.
    pub(in crate::testing) fn now(&self) -> Duration {
        self.timers.borrow().now()
    }

    /// Lets `time` pass. What a timer sets off has happened before the next one is looked for.
    pub(in crate::testing) fn advance(self: &Rc<Self>, time: Duration) {
        let end = self.now().saturating_add(time);
        loop {
            // Nothing stays borrowed while the handler runs: it may set or cancel timers.
            let next = self.timers.borrow_mut().advance(end);
            let Some((id, event)) = next else { return self.reconnect() };
            self.act(Action::Deliver { from: None, to: Target::One(id), event });
        }
    }
}
