//! Timers in the fake host: when events come, what ends them, and how many there may be.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::testing::{Client, Host};
use crate::{Closing, Controller, Event, Fault, Request, Result, Saved, Socket, Timer, controller, json};

/// Rings when it is told to.
struct Clock {
    socket: Socket,
    timers: BTreeMap<String, Timer>,
}

#[controller]
impl Controller for Clock {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket, timers: BTreeMap::new() }
    }

    fn resume(socket: Socket, _request: Request, _state: Saved) -> Result<Self> {
        Ok(Self { socket, timers: BTreeMap::new() })
    }

    fn close(&mut self, _closing: Closing) {
        assert_eq!(self.socket.after(Duration::ZERO, ClockEvents::ring("late")).err(), Some(Fault::Gone));
    }

    #[client]
    fn once(&mut self, name: String, milliseconds: u64) -> Result {
        let timer = self.socket.after(Duration::from_millis(milliseconds), ClockEvents::ring(&name))?;
        self.timers.insert(name, timer);
        Ok(())
    }

    #[client]
    fn forget(&mut self, name: String, milliseconds: u64) -> Result {
        self.socket.after(Duration::from_millis(milliseconds), ClockEvents::ring(&name))?.detach();
        Ok(())
    }

    #[client]
    fn often(&mut self, name: String, milliseconds: u64) -> Result {
        let timer = self.socket.every(Duration::from_millis(milliseconds), ClockEvents::ring(&name))?;
        self.timers.insert(name, timer);
        Ok(())
    }

    /// One that has to be over before the next is looked at.
    #[client]
    fn chain(&mut self, milliseconds: u64, links: u32) -> Result {
        let time = Duration::from_millis(milliseconds);
        self.socket.after(time, ClockEvents::link(milliseconds, links))?.detach();
        Ok(())
    }

    #[event]
    fn link(&mut self, milliseconds: u64, links: u32) -> Result {
        self.socket.send(format!("link {links}"))?;
        if links > 1 { self.chain(milliseconds, links - 1) } else { Ok(()) }
    }

    #[client]
    fn cancel(&mut self, name: &str) {
        self.timers.remove(name);
    }

    #[event]
    fn ring(&mut self, name: &str) -> Result {
        self.socket.send(name)
    }
}

fn clock(host: &Host) -> Client {
    host.connect::<Clock>("/clock").expect("open to all")
}

fn set(client: &Client, how: &str, name: &str, milliseconds: u64) {
    client.call(how, json!({ "name": name, "milliseconds": milliseconds }));
}

fn wait(host: &Host, milliseconds: u64) {
    host.advance(Duration::from_millis(milliseconds));
}

#[test]
fn events_come_when_their_time_has_come_and_in_its_order() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| clock(&host));
    set(&one, "once", "third", 30);
    set(&one, "once", "first", 10);
    set(&one, "forget", "second", 20);
    set(&one, "once", "second, set later", 20);
    set(&one, "often", "often", 15);
    assert_eq!(one.timers(), 5);
    wait(&host, 9);
    assert!(one.received().is_empty());
    wait(&host, 1);
    assert_eq!(one.texts(), ["first"]);
    wait(&host, 35);
    assert_eq!(one.texts(), ["often", "second", "second, set later", "third", "often", "often"]);
    assert_eq!((one.timers(), two.timers()), (1, 0));
    assert!(two.received().is_empty());
}

#[test]
fn what_a_timer_sets_off_is_over_before_the_next_one() {
    let host = Host::new();
    let one = clock(&host);
    one.call("chain", json!({ "milliseconds": 10, "links": 3 }));
    set(&one, "once", "at 25", 25);
    wait(&host, 100);
    assert_eq!(one.texts(), ["link 3", "link 2", "at 25", "link 1"]);
    one.call("chain", json!({ "milliseconds": 0, "links": 2 }));
    assert!(one.received().is_empty(), "at once is not within the same call");
    wait(&host, 0);
    assert_eq!(one.texts(), ["link 2", "link 1"]);
}

#[test]
fn a_dropped_timer_is_cancelled_and_a_detached_one_is_not() {
    let host = Host::new();
    let one = clock(&host);
    set(&one, "once", "once", 10);
    set(&one, "often", "often", 10);
    set(&one, "forget", "forgotten", 10);
    one.call("cancel", json!({ "name": "once" }));
    one.call("cancel", json!({ "name": "often" }));
    wait(&host, 20);
    assert_eq!(one.texts(), ["forgotten"]);
    // A handle is of no use after its time, and does no harm.
    set(&one, "once", "once", 10);
    wait(&host, 10);
    one.call("cancel", json!({ "name": "once" }));
    assert_eq!(one.texts(), ["once"]);
}

#[test]
fn timers_end_with_the_connection_and_with_its_object() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| clock(&host));
    for client in [&one, &two] {
        set(client, "often", "often", 10);
        set(client, "forget", "forgotten", 10);
    }
    two.inspect(|clock: &mut Clock| clock.socket.save(Saved::default()).expect("it resumes"));
    one.leave();
    host.restart_instance::<Clock>();
    assert_eq!((one.timers(), two.timers()), (0, 0));
    wait(&host, 10);
    assert!(one.received().is_empty() && two.received().is_empty());
    set(&two, "once", "anew", 10);
    wait(&host, 10);
    assert_eq!(two.texts(), ["anew"]);
}

#[test]
fn there_are_limits() {
    let host = Host::new();
    let one = clock(&host);
    one.inspect(|clock: &mut Clock| {
        let (day, ring) = (Duration::from_secs(24 * 60 * 60), || ClockEvents::ring("x"));
        let invalid = |outcome: Result<Timer>| assert!(matches!(outcome, Err(Fault::Invalid(_))), "{outcome:?}");
        invalid(clock.socket.after(day * 367, ring()));
        invalid(clock.socket.every(Duration::MAX, ring()));
        invalid(clock.socket.every(Duration::from_millis(9), ring()));
        invalid(clock.socket.after(day, Event::new("", ())));
        let mut timers: Vec<_> =
            (0..64).map(|_| clock.socket.every(day, ring()).expect("there may be that many")).collect();
        let full = "the connection has its 64 timers already".to_owned();
        assert_eq!(clock.socket.after(day, ring()).err(), Some(Fault::Unavailable(full)));
        timers.pop();
        clock.socket.after(Duration::ZERO, ring()).expect("there is room again").detach();
    });
    assert_eq!(one.timers(), 1, "the others were dropped");
}
