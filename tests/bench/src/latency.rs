//! Latencies of one run, kept to within a percent.

use std::time::Duration;

use hdrhistogram::Histogram;

pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Latencies {
        // From 1 us to 60 s, in nanoseconds.
        Latencies(Histogram::new_with_bounds(1_000, 60_000_000_000, 2).expect("the bounds are in order"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// In microseconds.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        Duration::from_nanos(self.0.value_at_quantile(part)).as_secs_f64() * 1e6
    }
}
