//! What a connection may have a number of, each a place that is given back when it is dropped.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Connection;

/// One of the tasks that bring a connection what is in its mailboxes, until it is dropped.
pub(crate) struct ServedPlace {
    _one: Arc<()>,
}

/// One of the timers that a connection may have, until it is dropped: by the timer, or by its event when that is taken out.
pub(crate) struct TimerPlace(Arc<Connection>);

impl TimerPlace {
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for TimerPlace {
    fn drop(&mut self) {
        self.0.timers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Connection {
    /// A place for one more timer, if there may be one more.
    pub(crate) fn add_timer(self: &Arc<Self>, limit: usize) -> Option<TimerPlace> {
        let added =
            self.timers.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < limit).then(|| count + 1));
        added.is_ok().then(|| TimerPlace(Arc::clone(self)))
    }

    /// A place for one more task that brings it what is in a mailbox. Who takes them one at a time gets no more than `limit`.
    pub(crate) fn served_place(&self, limit: usize) -> Option<ServedPlace> {
        let served = Arc::clone(&self.served);
        (Arc::strong_count(&served) - 2 < limit).then_some(ServedPlace { _one: served })
    }

    pub(crate) fn has_timers(&self) -> bool {
        self.timers.load(Ordering::Acquire) > 0
    }
}
