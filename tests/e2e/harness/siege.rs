//! A host under attack: an attacker with an address of its own, and a bystander on a thread of its own whose echo must stay
//! prompt meanwhile.

use super::bystander::is_prompt;
use super::host::{Furnished, TestHost};
use super::logs;
use super::raw::RawClient;
use super::wait::eventually;
use super::ws::{Knock, WsClient};
use lakou_host::Snapshot;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Round trips that a median is made of, at least.
const SAMPLES: usize = 30;

/// What other work on the same machine may make of a round trip, whatever is attacked.
const NOISE: Duration = Duration::from_millis(25);

/// A host with the guest `echo` that is being attacked.
pub(crate) struct Siege {
    pub(crate) host: TestHost,
    /// Where the attacker's connections come from; no other scenario has this address.
    pub(crate) attacker: IpAddr,
    bystander: Bystander,
    usual: Duration,
}

impl Siege {
    /// Starts the host, and learns how long the bystander's echo takes on a calm day.
    pub(crate) async fn of(furnished: Furnished) -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        logs::collect();
        // Every address of 127.0.0.0/8 is this machine; clients that are not attackers come from 127.0.0.1.
        let attacker = IpAddr::from([127, 0, NEXT.fetch_add(1, Ordering::Relaxed), 66]);
        let host = furnished.start().await;
        let bystander = Bystander::of(host.address);
        let usual = bystander.median_from(0).await;
        Siege { host, attacker, bystander, usual }
    }

    /// A connection of the attacker.
    pub(crate) async fn dial(&self) -> RawClient {
        RawClient::dial_from(self.attacker, self.host.address).await
    }

    /// A WebSocket of the attacker.
    pub(crate) async fn raw(&self, path: &str) -> RawClient {
        let mut client = self.dial().await;
        client.upgrade(path).await;
        client
    }

    /// Writes `bytes` on a connection of the attacker and expects to be answered with `status` and cut off; gives the answer.
    pub(crate) async fn is_answered(&self, bytes: impl AsRef<[u8]>, status: u16) -> String {
        let mut client = self.dial().await;
        // The host may have heard enough before the end.
        let _ = client.try_write(bytes).await;
        let answer = String::from_utf8_lossy(&client.expect_clean_end().await).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "not {status}: {answer:.200}");
        answer
    }

    /// Attacks, and sees to it that the bystander's round trips stay within twice their usual median meanwhile.
    pub(crate) async fn attack<T>(&self, attack: impl Future<Output = T>) -> T {
        let before = self.bystander.count();
        let outcome = attack.await;
        let median = self.bystander.median_from(before).await;
        is_prompt("attacked", median, self.usual, NOISE);
        outcome
    }

    /// Waits until the limit has been counted, and until the log names it with the attacker's address.
    pub(crate) async fn met(&self, limit: &str, counter: impl Fn(&Snapshot) -> u64) {
        self.host.counts(limit, |counted| counter(counted) > 0).await;
        logs::expect(&[&format!("limit=\"{limit}\""), &format!("client={} ", self.attacker)]).await;
    }
}

/// A polite client that says something each millisecond.
struct Bystander {
    round_trips: Arc<Mutex<Vec<Duration>>>,
    leaves: Arc<AtomicBool>,
}

impl Bystander {
    fn of(address: SocketAddr) -> Self {
        let bystander = Bystander { round_trips: Arc::default(), leaves: Arc::default() };
        let (round_trips, leaves) = (Arc::clone(&bystander.round_trips), Arc::clone(&bystander.leaves));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(async {
                let mut client: WsClient = Knock::new(address, "/echo").open().await;
                let mut pulse = tokio::time::interval(Duration::from_millis(1));
                while !leaves.load(Ordering::Relaxed) {
                    pulse.tick().await;
                    let begun = Instant::now();
                    client.exchange("are you well?", "are you well?").await;
                    round_trips.lock().expect("readers do not panic").push(begun.elapsed());
                }
            });
        });
        bystander
    }

    fn count(&self) -> usize {
        self.round_trips.lock().expect("the bystander does not panic here").len()
    }

    /// The median of what was measured after the first `start`.
    async fn median_from(&self, start: usize) -> Duration {
        eventually("the bystander is served", || self.count() >= start + SAMPLES).await;
        let mut measured = self.round_trips.lock().expect("the bystander does not panic here")[start..].to_vec();
        measured.sort_unstable();
        measured[measured.len() / 2]
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.leaves.store(true, Ordering::Relaxed);
    }
}
