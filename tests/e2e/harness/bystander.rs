//! A client of another controller, who is not to notice what goes on beside it: its round trips take no longer than usual.

use super::host::TestHost;
use super::ws::WsClient;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Medians below it are noise where other tests run beside this one, on two cores: a guest, of another test too, may have its
/// core for some of the host's ticks of 5 ms.
const NOISE: Duration = Duration::from_millis(15);

/// Medians below it are noise even where nothing else runs, which `LAKOU_ALONE=1` says: whether a thread is still awake when
/// it has something to do makes that difference.
const NOISE_ALONE: Duration = Duration::from_micros(200);

/// Exchanges that make a median.
const ENOUGH: usize = 100;

/// Exchanges that are measured at the most, so that a long deed does not make a long list.
const MOST: usize = 20_000;

/// Somebody who talks to `echo`.
pub(crate) struct Bystander {
    client: WsClient,
    usual: Duration,
}

impl Bystander {
    /// Connects, and finds out how long a round trip usually takes.
    pub(crate) async fn of(host: &TestHost) -> Self {
        let mut client = host.connect("/echo").await;
        let usual = median(&mut client, pin!(std::future::ready(()))).await.0;
        Bystander { client, usual }
    }

    /// Goes on talking while something is done, and says so if that takes over twice its usual time.
    pub(crate) async fn meanwhile<T>(&mut self, what: &str, deed: impl Future<Output = T>) -> T {
        let (median, outcome) = median(&mut self.client, pin!(deed)).await;
        is_prompt(what, median, self.usual, NOISE);
        outcome
    }
}

/// A median of round trips is at most twice the usual one, or noise, which is `noise` where other tests run beside this one.
#[track_caller]
pub(crate) fn is_prompt(what: &str, median: Duration, usual: Duration, noise: Duration) {
    let noise = if std::env::var_os("LAKOU_ALONE").is_some() { NOISE_ALONE } else { noise };
    let bound = (usual * 2).max(noise);
    assert!(median <= bound, "{what}: a round trip of a bystander takes {median:?}, usually {usual:?}");
}

/// The median of the round trips until `deed` is done.
async fn median<T>(client: &mut WsClient, mut deed: std::pin::Pin<&mut impl Future<Output = T>>) -> (Duration, T) {
    let mut outcome = None;
    let mut times = Vec::new();
    while outcome.is_none() || times.len() < ENOUGH {
        let begun = Instant::now();
        let mut exchange = pin!(client.exchange("still here", "still here"));
        let taken = std::future::poll_fn(|context| {
            if outcome.is_none()
                && let Poll::Ready(done) = deed.as_mut().poll(context)
            {
                outcome = Some(done);
            }
            exchange.as_mut().poll(context).map(|()| begun.elapsed())
        });
        let taken = taken.await;
        if times.len() < MOST {
            times.push(taken);
        }
    }
    times.sort_unstable();
    (times[times.len() / 2], outcome.expect("the loop has waited for it"))
}
