//! The limits of each client address, and the one place where a client that met a limit is counted and logged. What a limit
//! does to the client is up to those who ask here.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::bucket::Rate;
use crate::config::Config;
use crate::metrics::Metrics;

mod limit;
mod table;

pub(crate) use self::limit::Limit;
use self::limit::Notes;
use self::table::{Key, Table};

/// All clients of one server.
pub(crate) struct Clients {
    settings: Arc<Config>,
    metrics: Arc<Metrics>,
    table: Mutex<Table>,
    notes: Notes,
}

/// One client, by the address that it is known by. A trusted proxy speaks for many and is held to no limit of one address.
#[derive(Clone)]
pub(crate) struct Visitor {
    address: SocketAddr,
    clients: Arc<Clients>,
}

/// A place among the connections of an address, given back on drop.
pub(crate) struct Place {
    key: Option<Key>,
    clients: Arc<Clients>,
}

impl Clients {
    pub(crate) fn new(settings: Arc<Config>, metrics: Arc<Metrics>) -> Arc<Self> {
        let rate = Rate { per_second: settings.max_handshakes_per_second, burst: settings.handshake_burst };
        Arc::new(Clients { table: Mutex::new(Table::new(rate)), notes: Notes::default(), settings, metrics })
    }

    pub(crate) fn visitor(self: &Arc<Self>, address: SocketAddr) -> Visitor {
        // On a socket for both versions an IPv4 client comes as an IPv6 address; it is still the same client.
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        Visitor { address, clients: Arc::clone(self) }
    }

    /// Whether the word of a peer with this address is taken.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.settings.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    pub(crate) fn settings(&self) -> &Config {
        &self.settings
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing in a section can panic half-way, so a poisoned lock still guards a whole state.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn is_proxy(&self) -> bool {
        self.clients.trusts(self.address.ip())
    }

    pub(crate) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// One more connection, unless the address has as many as it may.
    pub(crate) fn enter(&self) -> Option<Place> {
        let key = (!self.is_proxy()).then(|| Key::of(self.address.ip()));
        if let Some(key) = key
            && !self.clients.table().enter(key, self.clients.settings.max_connections_per_address)
        {
            self.met(Limit::AddressConnections);
            return None;
        }
        Some(Place { key, clients: Arc::clone(&self.clients) })
    }

    /// Whether the address may ask for one more WebSocket now.
    pub(crate) fn may_ask(&self) -> bool {
        let may = self.is_proxy() || self.clients.table().ask(Key::of(self.address.ip()), Instant::now());
        if !may {
            self.met(Limit::Handshakes);
        }
        may
    }

    /// The places among which the plain requests of the address are answered; none: it is held to no number.
    pub(crate) fn requests(&self) -> Option<Arc<Semaphore>> {
        let most = self.clients.settings.requests_per_address();
        (!self.is_proxy()).then(|| self.clients.table().requests(Key::of(self.address.ip()), most))
    }

    /// The client has met a limit: it is counted and, not too often, logged.
    pub(crate) fn met(&self, limit: Limit) {
        limit.counter(&self.clients.metrics).count();
        self.clients.notes.write(limit, self.address.ip());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clients.table().leave(key, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(change: impl FnOnce(&mut Config)) -> Arc<Clients> {
        let mut config = Config::default();
        change(&mut config);
        Clients::new(Arc::new(config), Arc::new(Metrics::default()))
    }

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), 1)
    }

    #[test]
    fn a_place_is_given_back() {
        let clients = clients(|config| config.max_connections_per_address = 2);
        let visitor = clients.visitor(address("192.0.2.1"));
        let places = [visitor.enter(), visitor.enter()];
        assert!(places.iter().all(Option::is_some) && visitor.enter().is_none());
        assert!(clients.visitor(address("::ffff:192.0.2.1")).enter().is_none(), "the same client");
        assert!(clients.visitor(address("192.0.2.2")).enter().is_some(), "another one");
        assert_eq!(clients.metrics.over_address_capacity.get(), 2);
        drop(places);
        assert!(visitor.enter().is_some());
    }

    #[test]
    fn neighbours_of_a_64_are_one_client() {
        let clients = clients(|config| config.max_connections_per_address = 1);
        let _place = clients.visitor(address("2001:db8::1")).enter().expect("the first");
        assert!(clients.visitor(address("2001:db8::ffff:1")).enter().is_none());
        assert!(clients.visitor(address("2001:db8:0:1::1")).enter().is_some());
    }

    #[test]
    fn a_proxy_is_not_one_client() {
        let clients = clients(|config| {
            config.max_connections_per_address = 1;
            (config.max_handshakes_per_second, config.handshake_burst) = (1, 1);
            config.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        });
        let proxy = clients.visitor(address("10.1.2.3"));
        assert!([proxy.enter(), proxy.enter()].iter().all(Option::is_some) && proxy.may_ask() && proxy.may_ask());
        let client = clients.visitor(address("192.0.2.1"));
        assert!(client.may_ask() && !client.may_ask());
    }
}
