//! What is remembered of client addresses: how many connections each has, among which places its plain requests are answered,
//! and how many handshakes it may still ask for. An address without connections and requests is forgotten as soon as that makes
//! no difference.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::bucket::{Bucket, Rate};

/// Addresses without a connection that are remembered for their handshakes. Who has more of them than this is not held by
/// limits of one address anyway, so that all of them are forgotten at once; some MiB.
const IDLE_ADDRESSES: usize = 64 * 1024;

/// What counts as one client: an IPv4 address, or a /64 of IPv6, which is what a single household or machine is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(IpAddr);

/// The addresses that are known now.
pub(super) struct Table {
    handshakes: Rate,
    addresses: HashMap<Key, Address>,
    /// At how many addresses it is time to look for those that can be forgotten: at each doubling, so that the looking costs
    /// little for each.
    sweep_at: usize,
}

struct Address {
    connections: usize,
    /// Made with the first plain request.
    requests: Option<Arc<Semaphore>>,
    handshakes: Bucket,
}

impl Address {
    /// Whether it counts on being remembered: a request may outlast the connection that it came on, and keeps its place.
    fn is_busy(&self) -> bool {
        self.connections > 0 || self.requests.as_ref().is_some_and(|requests| Arc::strong_count(requests) > 1)
    }
}

impl Key {
    pub(super) fn of(address: IpAddr) -> Self {
        Key(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            four @ IpAddr::V4(_) => four,
        })
    }
}

impl Table {
    pub(super) fn new(handshakes: Rate) -> Self {
        Table { handshakes, addresses: HashMap::new(), sweep_at: 1024 }
    }

    /// One more connection, if there are not yet `most`.
    pub(super) fn enter(&mut self, key: Key, most: usize) -> bool {
        let address = self.address(key, Instant::now());
        let enters = address.connections < most;
        if enters {
            address.connections += 1;
        }
        enters
    }

    /// One less.
    pub(super) fn leave(&mut self, key: Key, now: Instant) {
        let rate = self.handshakes;
        let Some(address) = self.addresses.get_mut(&key) else { return };
        address.connections = address.connections.saturating_sub(1);
        if !address.is_busy() && address.handshakes.is_full(rate, now) {
            self.addresses.remove(&key);
        }
    }

    /// Whether one more handshake may be asked for.
    pub(super) fn ask(&mut self, key: Key, now: Instant) -> bool {
        let rate = self.handshakes;
        self.address(key, now).handshakes.take(rate, now)
    }

    /// The places among which its plain requests are answered, `most` in all.
    pub(super) fn requests(&mut self, key: Key, most: usize) -> Arc<Semaphore> {
        let address = self.address(key, Instant::now());
        Arc::clone(address.requests.get_or_insert_with(|| Arc::new(Semaphore::new(most))))
    }

    fn address(&mut self, key: Key, now: Instant) -> &mut Address {
        if self.addresses.len() >= self.sweep_at {
            self.sweep(now);
        }
        let rate = self.handshakes;
        let new = || Address { connections: 0, requests: None, handshakes: Bucket::full(rate, now) };
        self.addresses.entry(key).or_insert_with(new)
    }

    fn sweep(&mut self, now: Instant) {
        let rate = self.handshakes;
        self.addresses.retain(|_, address| address.is_busy() || !address.handshakes.is_full(rate, now));
        let idle = self.addresses.values().filter(|address| !address.is_busy()).count();
        if idle > IDLE_ADDRESSES {
            self.addresses.retain(|_, address| address.is_busy());
        }
        self.sweep_at = (self.addresses.len() * 2).max(1024);
        self.addresses.shrink_to(self.sweep_at);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    const RATE: Rate = Rate { per_second: 1, burst: 2 };

    fn key(number: u32) -> Key {
        Key::of(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn who_has_gone_is_forgotten_when_it_makes_no_difference() {
        let begin = Instant::now();
        let mut table = Table::new(RATE);
        assert!(table.enter(key(1), 9) && table.ask(key(1), begin));
        table.leave(key(1), begin);
        assert_eq!(table.addresses.len(), 1, "it has asked for something");
        assert!(table.ask(key(1), begin) && !table.ask(key(1), begin));
        assert!(table.enter(key(1), 9));
        table.leave(key(1), begin + Duration::from_secs(3));
        assert!(table.addresses.is_empty());
    }

    #[test]
    fn who_goes_before_its_request_has_been_answered_gets_no_new_places() {
        let begin = Instant::now();
        let mut table = Table::new(RATE);
        assert!(table.enter(key(1), 9));
        let taken = table.requests(key(1), 1).try_acquire_owned().expect("the only one");
        table.leave(key(1), begin);
        table.sweep(begin);
        assert!(table.enter(key(1), 9));
        assert!(table.requests(key(1), 1).try_acquire_owned().is_err(), "it is taken still");
        drop(taken);
        table.leave(key(1), begin);
        assert!(table.addresses.is_empty());
    }

    #[test]
    fn ever_new_addresses_do_not_pile_up() {
        let begin = Instant::now();
        let mut table = Table::new(RATE);
        assert!(table.enter(key(0), 9));
        for number in 1..1_000_000 {
            assert!(table.ask(key(number), begin));
        }
        assert!(table.addresses.len() <= 2 * (IDLE_ADDRESSES + 1), "{}", table.addresses.len());
        assert!(table.addresses.contains_key(&key(0)), "who is connected is counted on");
        for number in 0..200_000 {
            table.ask(key(number), begin + Duration::from_secs(60));
        }
        assert!(table.addresses.capacity() < 8 * IDLE_ADDRESSES, "{}", table.addresses.capacity());
    }
}
