//! Waiting with a bound. A test never rests for a fixed time: it waits for a condition, and says which one did not come.

use std::future::Future;
use std::time::Duration;

/// How long anything may take before a test calls it missing. Generous, because two cores run the tests side by side;
/// nothing that works comes near it.
pub(crate) const BOUND: Duration = Duration::from_secs(10);

/// The outcome of `future`, which is due within [`BOUND`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, future).await.unwrap_or_else(|_| panic!("{what}: nothing within {BOUND:?}"))
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let mut pulse = tokio::time::interval(Duration::from_millis(5));
    within(what, async {
        while !condition() {
            pulse.tick().await;
        }
    })
    .await;
}
