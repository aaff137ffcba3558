//! Waiting with a bound. A test never rests for a fixed time: it waits for a condition, and says which one did not come.

use std::future::Future;
use std::time::Duration;

/// How long anything may take before a test calls it missing. Generous, because two cores run the tests side by side;
/// nothing that works comes near it.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// The outcome of `future`, which is due within [`BOUND`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    within_bound(BOUND, what, future).await
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

/// The outcome of `future`, which may take longer than most: a failover waits for time-outs of its own.
pub(crate) async fn within_bound<T>(bound: Duration, what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(bound, future).await.unwrap_or_else(|_| panic!("{what}: nothing within {bound:?}"))
}

/// Waits until a condition holds that has to be asked for.
pub(crate) async fn until(bound: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut pulse = tokio::time::interval(Duration::from_millis(20));
    within_bound(bound, what, async {
        while !condition().await {
            pulse.tick().await;
        }
    })
    .await;
}

/// Whether `future` has nothing to give for a while: something holds it up. It can be awaited afterwards.
pub(crate) async fn held_up(future: &mut (impl Future + Unpin)) -> bool {
    tokio::time::timeout(Duration::from_millis(100), future).await.is_err()
}
