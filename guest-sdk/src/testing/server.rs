//! A fake server elsewhere: who is connected to it, and whether it is there.

use std::rc::Rc;

use super::client::Client;
use super::yard::Yard;
use crate::request::Acceptance;

/// A server that controllers may connect to, made by [`Host::serve`](super::Host::serve).
#[derive(Debug)]
pub struct Server {
    yard: Rc<Yard>,
    url: String,
}

impl Server {
    pub(super) fn new(yard: Rc<Yard>, url: &str) -> Self {
        Self { yard, url: url.to_owned() }
    }

    /// The connections that controllers have to it now, in the order of their first opening: what is sent to them comes from the
    /// server, and what they receive was sent to it.
    pub fn connections(&self) -> Vec<Client> {
        let client = |id| Client::new(Rc::clone(&self.yard), id, Acceptance::new());
        self.yard.connected_to(&self.url).into_iter().map(client).collect()
    }

    /// The server is gone: its connections are lost (1006), and nobody can connect.
    pub fn stop(&self) {
        self.yard.set_server(&self.url, false);
        for connection in self.connections() {
            connection.vanish();
        }
    }

    /// It is back. Who was to be connected again is, when the clock has [moved](super::Host::advance).
    pub fn start(&self) {
        self.yard.set_server(&self.url, true);
    }
}
