//! Whom a controller may address in the fake host, and whether it may emit at all.

use super::services::{Idle, inside};
use crate::testing::Host;
use crate::{Controller, Event, Fault, IdentityOptions, Request, Result, Socket, controller, messaging};

/// Looks into what is of the idle.
struct Nosy;

#[controller]
impl Controller for Nosy {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn look(&mut self) -> Result {
        messaging::publish("nosy/x", "x")?;
        messaging::publish("idle/x", "x")
    }
}

#[test]
fn what_is_denied_can_not_be_addressed() {
    let host = Host::new();
    let client = host.connect::<Idle>("/idle").expect("open to all");
    let fault = |addressee: &str| Err(Fault::Denied(format!("not granted: messaging = [\"{addressee}\"]")));
    let event = || Event::new("note", ());
    for denied in [false, true] {
        if denied {
            for addressee in ["all", "controller:other", "topic:news/*", "identity:*"] {
                host.deny(addressee);
            }
        }
        let outcome = |addressee: &str| if denied { fault(addressee) } else { Ok(()) };
        client.inspect(|Idle { socket }: &mut Idle| {
            assert_eq!(socket.subscribe("news/local"), outcome("topic:news/local"));
            assert_eq!(messaging::publish("news/local", "x"), outcome("topic:news/local"));
            assert_eq!(socket.multicast(event()), outcome("all"));
            assert_eq!(messaging::multicast(event()), outcome("all"));
            assert_eq!(messaging::broadcast("other", event()), outcome("controller:other"));
            assert_eq!(socket.register_as("ann", IdentityOptions::default()), outcome("identity:ann"));
            assert_eq!(messaging::notify("ann", event()).map(drop), outcome("identity:ann"));
            assert_eq!(messaging::registered("ann").map(drop), outcome("identity:ann"));
            assert_eq!(socket.unregister("ann"), outcome("identity:ann"));
            assert_eq!((socket.broadcast(event()), messaging::publish("newest", "x")), (Ok(()), Ok(())));
        });
    }
}

#[test]
fn a_controllers_own_needs_no_grant() {
    let host = Host::new();
    host.deny("*");
    let client = host.connect::<Idle>("/idle").expect("open to all");
    let event = || Event::new("note", ());
    client.inspect(|Idle { socket }: &mut Idle| {
        for own in ["idle", "idle:ann", "idle/lobby"] {
            assert_eq!((socket.subscribe(own), messaging::publish(own, "x")), (Ok(()), Ok(())), "{own}");
            assert_eq!(socket.register_as(own, IdentityOptions::default()), Ok(()));
            assert_eq!((messaging::notify(own, event()), messaging::registered(own)), (Ok(true), Ok(true)));
        }
        assert_eq!((messaging::broadcast("idle", event()), socket.broadcast(event())), (Ok(()), Ok(())));
        assert_eq!(socket.unicast(&socket.id(), event()), Ok(()));
        let is_denied = |result: Result| matches!(result, Err(Fault::Denied(_)));
        for other in ["news", "idle2", "idler:x", "idl", "Idle", "/idle", "x:idle"] {
            assert!(is_denied(socket.subscribe(other)) && is_denied(messaging::publish(other, "x")), "{other}");
            assert!(is_denied(messaging::notify(other, event()).map(drop)), "{other}");
        }
        assert!(is_denied(messaging::broadcast("idle:x", event())) && is_denied(socket.multicast(event())));
    });
}

#[test]
fn what_is_anothers_own_is_not_ones_own() {
    let host = Host::new();
    host.deny("topic:*");
    host.connect::<Nosy>("/nosy").expect("open to all");
    assert_eq!(inside(&host, || messaging::publish("idle/x", "x")), Ok(()));
    // An event from an idle one is handled by a nosy one, and then an idle one goes on.
    let outcomes = inside(&host, || {
        messaging::broadcast("nosy", Event::new("look", ())).expect("it is granted");
        messaging::publish("idle/x", "x")
    });
    assert_eq!(
        (outcomes, host.log()),
        (Ok(()), vec!["look: denied: not granted: messaging = [\"topic:idle/x\"]".to_owned()])
    );
}

#[test]
fn emitting_fails_when_the_test_says_so() {
    let host = Host::new();
    let [ann, ben] = [(), ()].map(|()| host.connect::<Idle>("/idle").expect("open to all"));
    ben.inspect(|Idle { socket }: &mut Idle| {
        socket.subscribe("news").expect("there is room");
        socket.register_as("ben", IdentityOptions::default()).expect("there is room");
    });
    let event = || Event::new("note", ());
    let emit_all = || {
        ann.inspect(|Idle { socket }: &mut Idle| {
            [
                socket.broadcast(event()),
                socket.multicast(event()),
                socket.unicast(ben.id(), event()),
                messaging::broadcast("idle", event()),
                messaging::multicast(event()),
                messaging::unicast(ben.id(), event()),
                messaging::publish("news", "x"),
                messaging::notify("ben", event()).map(drop),
            ]
        })
    };
    host.refuse_events();
    assert!(emit_all().iter().all(|outcome| matches!(outcome, Err(Fault::Unavailable(_)))));
    assert!(ben.received().is_empty() && host.mailbox("ben").is_empty());
    // What is wrong with an event is said before that.
    assert!(matches!(inside(&host, || messaging::multicast(Event::new("", ()))), Err(Fault::Invalid(_))));
    host.admit_events();
    assert_eq!(emit_all(), [const { Ok(()) }; 8]);
    assert_eq!(ben.texts(), ["x"]);
}
