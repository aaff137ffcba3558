//! Ports for servers that are told where to listen, and that come back on the same port after a crash.

use super::random::Random;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux gives to outgoing connections (from 32768 on): a port of those could be taken while its server is
/// down, be it by a client that calls the dead server and is connected to itself.
const FIRST: u16 = 12_000;

/// The ports of a Redis cluster lie 10,000 higher, and must stay in that range, too.
const COUNT: u16 = 10_000;

/// An address that nobody listens at now, and that this process has not given out before. Another process may be faster
/// than who asked for it, who then takes the next.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run side by side begin at different places.
    let start = Random::new(std::process::id().into()).below(COUNT);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("none of {COUNT} ports is free");
}
