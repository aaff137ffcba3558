//! The time of the server, every second: a service. The host makes one object of it on each server, without a client; it has a
//! timer and publishes, and whoever is connected to `/clock` gets it, from each server once a second.
//!
//! Try it: connect a WebSocket client to `/clock`, and wait. An operator may switch the service off on one server, with
//! `service = false` in `[controller.clock]` of `lakou.toml`: its clients then get what the others publish.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lakou_sdk::{Controller, Peer, Request, Result, Socket, Timer, controller, json, messaging};

const TOPIC: &str = "clock";

/// The service, or somebody who watches the time.
pub enum Clock {
    /// One a server: it ticks.
    Service(Ticks),
    /// A client.
    Watcher,
}

/// How often it has ticked, and what makes it tick.
pub struct Ticks {
    count: u64,
    _timer: Option<Timer>,
}

#[controller(path = "/clock", service)]
impl Controller for Clock {
    fn open(socket: Socket, request: Request) -> Self {
        if request.peer() == Peer::Nobody {
            let timer = socket.every(Duration::from_secs(1), ClockEvents::tick());
            return Self::Service(Ticks { count: 0, _timer: timer.ok() });
        }
        if let Err(fault) = socket.subscribe(TOPIC) {
            eprintln!("subscribe: {fault}");
        }
        Self::Watcher
    }

    #[event]
    fn tick(&mut self) -> Result {
        let Self::Service(ticks) = self else { return Ok(()) };
        ticks.count += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        messaging::publish(TOPIC, json!({ "tick": ticks.count, "seconds": now.as_secs() }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lakou_sdk::testing::Host;

    use super::Clock;

    #[test]
    fn watchers_get_a_tick_each_second() {
        let host = Host::new();
        let service = host.start::<Clock>();
        let watcher = host.connect::<Clock>("/clock").expect("open to all");
        assert_eq!((service.timers(), watcher.timers()), (1, 0));
        host.advance(Duration::from_secs(3));
        let ticks: Vec<u64> = watcher.json().iter().map(|told| told["tick"].as_u64().expect("a number")).collect();
        assert_eq!(ticks, [1, 2, 3]);
    }

    #[test]
    fn a_service_that_fails_begins_anew() {
        let host = Host::new();
        let service = host.start::<Clock>();
        host.advance(Duration::from_secs(2));
        host.restart_instance::<Clock>();
        assert_eq!((service.closing(), service.timers()), (None, 1));
        let watcher = host.connect::<Clock>("/clock").expect("open to all");
        host.advance(Duration::from_secs(1));
        assert_eq!(watcher.json()[0]["tick"], 1);
    }
}
