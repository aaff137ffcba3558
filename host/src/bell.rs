//! The bell of one registration: a task that knows that something has happened to it rings, and its pump hears that it is
//! over.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// One registration's bell.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Notify,
    over: AtomicBool,
}

impl Bell {
    /// Resolves when it has been rung since the last time.
    pub(crate) async fn rung(&self) {
        self.rung.notified().await;
    }

    /// Says that it is time to look.
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    /// Whether the registration has been ended from this side.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// The registration ends.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.ring();
    }
}
