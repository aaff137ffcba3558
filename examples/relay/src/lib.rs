//! A feed from another server, handed on to everybody who is connected: one connection to the feed a server, however many
//! clients there are. A service opens it, the host opens it again when it is lost, and what it says is published on a topic, so
//! that no code runs for each client.
//!
//! The operator says where the feed is and grants it, in `lakou.toml`; without the grant the controller is not loaded:
//!
//! ```toml
//! [controller.relay]
//! websocket = ["wss://feed.example.org"]
//!
//! [controller.relay.config]
//! feed = "wss://feed.example.org/prices"
//! ```
//!
//! Try it: with the feed `ws://127.0.0.1:8000/clock` (granted as `ws://127.0.0.1:8000`, the example `clock` beside this one)
//! connect a WebSocket client to `/relay`.

use lakou_sdk::{
    ConnectOptions, Controller, Fault, Message, Peer, Request, Result, Socket, config, controller, log, messaging,
};

const TOPIC: &str = "relay";

/// The three kinds of objects that this controller has.
pub enum Relay {
    /// One a server: it has opened the feed, which ends with it.
    Service,
    /// The connection to the feed.
    Feed,
    /// A client.
    Watcher,
}

#[controller(path = "/relay", service)]
impl Controller for Relay {
    fn open(socket: Socket, request: Request) -> Self {
        match request.peer() {
            Peer::Nobody => {
                if let Err(fault) = open_feed(&socket) {
                    log::error(format!("no feed: {fault}"));
                }
                Self::Service
            }
            Peer::Server => Self::Feed,
            Peer::Client => {
                if let Err(fault) = socket.subscribe(TOPIC) {
                    log::error(format!("subscribe: {fault}"));
                }
                Self::Watcher
            }
        }
    }

    fn message(&mut self, message: Message) -> Result {
        // What clients say is nobody's business.
        if matches!(self, Self::Feed) { messaging::publish(TOPIC, &message) } else { Ok(()) }
    }
}

fn open_feed(socket: &Socket) -> Result {
    let feed = config::get("feed").ok_or_else(|| Fault::Invalid("`feed` is not configured".to_owned()))?;
    socket.connect(&feed, ConnectOptions::new().reconnect()).map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lakou_sdk::testing::{Client, Host, Server};

    use super::Relay;

    const FEED: &str = "wss://feed.example.org/prices";

    fn relayed() -> (Host, Server, [Client; 2]) {
        let host = Host::new();
        host.configure("feed", FEED);
        let server = host.serve(FEED);
        host.start::<Relay>();
        let clients = [(), ()].map(|()| host.connect::<Relay>("/relay").expect("open to all"));
        (host, server, clients)
    }

    #[test]
    fn what_the_feed_says_reaches_all_clients() {
        let (_host, server, [ann, ben]) = relayed();
        let [feed] = &server.connections()[..] else { panic!("one connection") };
        feed.send("12.5");
        ann.send("lies");
        assert_eq!((ann.texts(), ben.texts()), (vec!["12.5".to_owned()], vec!["12.5".to_owned()]));
        assert!(feed.received().is_empty());
    }

    #[test]
    fn a_feed_that_comes_back_is_heard_again() {
        let (host, server, [ann, _]) = relayed();
        server.stop();
        host.advance(Duration::from_secs(60));
        assert!(server.connections().is_empty());
        server.start();
        host.advance(Duration::from_secs(1));
        server.connections()[0].send("13");
        assert_eq!(ann.texts(), ["13"]);
    }

    #[test]
    fn without_a_feed_there_is_a_line_in_the_log() {
        let host = Host::new();
        host.start::<Relay>();
        assert!(host.log()[0].contains("`feed` is not configured"), "{:?}", host.log());
    }
}
