//! The limits of controllers by name, and what hits them: a count a controller and limit, and a line in the log that has the
//! same shape for all of them. What is limited, and how, is the matter of those who call [`LimitHits::hit`].

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::rate::Seldom;
use crate::text::printable;

macro_rules! limits {
    ($($limit:ident $name:literal,)+) => {
        /// A limit of a controller, under the name of its setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Limit {
            $($limit,)+
        }

        impl Limit {
            const NAMES: &[&str] = &[$($name,)+];

            /// As in `lakou.toml`, the log and the counters.
            pub(crate) fn name(self) -> &'static str {
                Limit::NAMES[self as usize]
            }
        }
    };
}

limits! {
    Memory "memory",
    TableElements "table-elements",
    CpuTime "cpu-time",
    CallTime "call-time",
    StreamTimeout "stream-timeout",
    Stack "stack",
    Instances "instances-per-controller",
    AllInstances "max-instances",
    Connections "connections-per-controller",
    Requests "requests-per-controller",
    AllRequests "max-requests",
    Outgoing "max-outgoing",
    Event "max-event",
    Message "max-message",
    Outbox "outbox",
    EventRate "event-rate",
    StoreRate "store-rate",
    Timers "max-timers",
    Topics "max-topics",
    State "max-state",
    Identities "max-identities",
    Bucket "max-bucket",
    Mailboxes "max-mailboxes",
    Outward "max-outward",
    LogRate "log-rate",
    Handles "max-handles",
    Handover "max-handover",
    Component "max-component",
    CompileTime "compile-time",
}

/// How often one controller has hit each of its limits.
#[derive(Debug)]
pub(crate) struct LimitHits {
    controller: Arc<str>,
    counts: [AtomicU64; Limit::NAMES.len()],
    /// Who hits a limit hits it again at once.
    lines: [Seldom; Limit::NAMES.len()],
}

impl LimitHits {
    pub(crate) fn new(controller: Arc<str>) -> Self {
        LimitHits {
            controller,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            lines: std::array::from_fn(|_| Seldom::default()),
        }
    }

    /// Counts one hit, and logs it if the last line is long enough ago. `what` says how much is allowed and what was done.
    pub(crate) fn hit(&self, limit: Limit, what: impl Display) {
        self.counts[limit as usize].fetch_add(1, Ordering::Relaxed);
        let Some(again) = self.lines[limit as usize].admit() else { return };
        let (controller, limit) = (&self.controller, limit.name());
        let what = what.to_string();
        tracing::warn!("controller {controller}: limit `{limit}`: {}{again}", printable(&what));
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        Limit::NAMES.iter().copied().zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

/// The hits of all controllers.
#[derive(Debug, Default)]
pub(crate) struct HitsByController(Mutex<BTreeMap<Arc<str>, Arc<LimitHits>>>);

impl HitsByController {
    /// The hits of the controller of this name; the same ones for the same name.
    pub(crate) fn of(&self, controller: &str) -> Arc<LimitHits> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hits) = all.get(controller) {
            return Arc::clone(hits);
        }
        let name: Arc<str> = controller.into();
        let hits = Arc::new(LimitHits::new(Arc::clone(&name)));
        all.insert(name, Arc::clone(&hits));
        hits
    }

    /// The counts, without those that are 0.
    pub(crate) fn counts(&self) -> BTreeMap<String, BTreeMap<&'static str, u64>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = all.iter().map(|(controller, hits)| (controller.to_string(), hits.counts()));
        counts.filter(|(_, counts)| !counts.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_counted_by_controller_and_limit() {
        let all = HitsByController::default();
        let chat = all.of("chat");
        all.of("echo");
        for _ in 0..3 {
            chat.hit(Limit::CpuTime, "the call was ended");
        }
        all.of("chat").hit(Limit::CompileTime, "not served");
        assert_eq!(all.counts(), [("chat".into(), [("cpu-time", 3), ("compile-time", 1)].into())].into());
    }
}
