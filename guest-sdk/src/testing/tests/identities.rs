//! Identities in the fake host: who is called for a notification, in what order, and what waits.

use std::time::Duration;

use crate::testing::{Client, Host, Misfit, Origin};
use crate::{Closing, Controller, Event, Fault, IdentityOptions, Message, Request, Result, Socket};
use crate::{controller, json, messaging, notification};

/// A user who is told things.
struct User {
    socket: Socket,
}

#[controller(path = "/user/{name}/{tabs}")]
impl Controller for User {
    fn open(socket: Socket, request: Request) -> Self {
        let tabs = request.param("tabs").and_then(|tabs| tabs.parse().ok()).expect("a number");
        let name = request.param("name").expect("it is in the path");
        let registered = socket.register_as(name, IdentityOptions::new().max_connections(tabs));
        socket.send(format!("{registered:?}")).expect("it is open");
        Self { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        let told = messaging::notify(message.as_text().unwrap_or_default(), UserEvents::told("by another", 0))?;
        self.socket.send(format!("told: {told}"))
    }

    fn close(&mut self, closing: Closing) {
        assert_eq!(self.socket.register_as("late", IdentityOptions::new()), Err(Fault::Gone));
        assert_eq!(self.socket.unregister("late"), Err(Fault::Gone));
        if closing.code == 4000 {
            assert_eq!(messaging::notify("ann", UserEvents::told("farewell", 0)), Ok(true));
        }
    }

    fn replaced(&mut self, identity: &str) -> Result {
        self.socket.send(format!("replaced as {identity}"))
    }

    #[event]
    fn told(&mut self, text: &str, number: u32) -> Result {
        let about = notification().map(|notification| notification.identity().to_owned());
        self.socket.send(format!("{text} {number} {about:?}"))
    }

    /// Which one it is; to be compared, not to be known.
    #[event]
    fn identified(&mut self) -> Result {
        self.socket.send(json!(notification().map(|notification| notification.id().clone())))
    }

    #[event]
    fn leave_now(&mut self, code: u16) -> Result {
        self.socket.close(code, "")
    }

    #[client]
    fn who(&mut self) -> Result {
        self.socket.send(format!("{:?}", notification()))
    }
}

/// A user with so many tabs at most, who has been registered.
fn user(host: &Host, name: &str, tabs: u32) -> Client {
    let client = host.connect::<User>(format!("/user/{name}/{tabs}").as_str()).expect("open to all");
    assert_eq!(client.received()[0], Message::Text("Ok(())".to_owned()));
    client
}

fn tell(host: &Host, name: &str, number: u32) {
    assert!(host.notify(name, UserEvents::told("hi", number)), "{name} is an identity");
}

fn said(numbers: impl IntoIterator<Item = u32>, name: &str) -> Vec<String> {
    numbers.into_iter().map(|number| format!("hi {number} Some({name:?})")).collect()
}

#[test]
fn each_connection_gets_each_notification_once() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| user(&host, "ann", 2));
    let other = user(&host, "ben", 1);
    tell(&host, "ann", 1);
    tell(&host, "ann", 2);
    assert_eq!(one.texts(), said([1, 2], "ann"));
    assert_eq!(two.texts(), said([1, 2], "ann"));
    assert!(other.received().is_empty());
    assert_eq!(host.mailbox("ann"), []);
}

#[test]
fn what_nobody_has_handled_comes_first_and_in_order() {
    let host = Host::new();
    let first = user(&host, "ann", 1);
    tell(&host, "ann", 1);
    first.vanish();
    tell(&host, "ann", 2);
    tell(&host, "ann", 3);
    assert_eq!(host.mailbox("ann"), [2, 3].map(|number| UserEvents::told("hi", number)));

    let second = host.connect::<User>("/user/ann/1").expect("open to all");
    tell(&host, "ann", 4);
    assert_eq!(second.texts(), [vec!["Ok(())".to_owned()], said([2, 3, 4], "ann")].concat());
    assert_eq!(host.mailbox("ann"), []);
}

#[test]
fn a_newcomer_does_not_get_what_another_has_handled() {
    let host = Host::new();
    let first = user(&host, "ann", 2);
    tell(&host, "ann", 1);
    let second = user(&host, "ann", 2);
    tell(&host, "ann", 2);
    assert_eq!(first.texts(), said([1, 2], "ann"));
    assert_eq!(second.texts(), said([2], "ann"));
}

#[test]
fn the_newest_win_and_the_oldest_are_told() {
    let host = Host::new();
    let [one, two, three] = [(), (), ()].map(|()| user(&host, "ann", 2));
    assert_eq!(one.texts(), ["replaced as ann"]);
    assert_eq!((one.closing(), one.identities()), (None, vec![]));
    tell(&host, "ann", 1);
    assert!(one.received().is_empty());
    assert_eq!((two.texts(), three.texts()), (said([1], "ann"), said([1], "ann")));

    let four = user(&host, "ann", 1);
    assert_eq!((two.texts(), three.texts()), (vec!["replaced as ann".to_owned()], vec!["replaced as ann".to_owned()]));
    assert_eq!(four.identities(), ["ann"]);
}

#[test]
fn to_register_again_is_to_be_the_newest() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| user(&host, "ann", 2));
    tell(&host, "ann", 1);
    one.inspect(|user: &mut User| {
        user.socket.register_as("ann", IdentityOptions::new().max_connections(2)).expect("ok")
    });
    let _three = user(&host, "ann", 2);
    assert_eq!(one.texts(), said([1], "ann"), "nothing is repeated");
    assert_eq!(two.texts(), [said([1], "ann"), vec!["replaced as ann".to_owned()]].concat());
}

#[test]
fn a_connection_may_have_several_identities() {
    let host = Host::new();
    let one = user(&host, "ann", 1);
    one.inspect(|user: &mut User| user.socket.register_as("admins", IdentityOptions::new()).expect("ok"));
    tell(&host, "admins", 1);
    tell(&host, "ann", 2);
    assert_eq!(one.texts(), [said([1], "admins"), said([2], "ann")].concat());
    assert_eq!(one.identities(), ["admins", "ann"]);

    one.inspect(|user: &mut User| user.socket.unregister("admins").expect("ok"));
    one.inspect(|user: &mut User| user.socket.unregister("never was").expect("nothing happens"));
    tell(&host, "admins", 3);
    assert_eq!(host.mailbox("admins"), [UserEvents::told("hi", 3)]);
    assert!(one.received().is_empty());
}

#[test]
fn there_is_an_identity_from_the_first_registration_until_it_lapses() {
    let host = Host::new();
    assert!(!host.registered("ann") && !host.notify("ann", UserEvents::told("hi", 1)));
    let one = user(&host, "ann", 1);
    one.send("ann");
    one.send("nobody");
    assert_eq!(one.texts(), ["told: true", "by another 0 Some(\"ann\")", "told: false"]);
    one.leave();
    tell(&host, "ann", 2);
    assert!(host.registered("ann"));

    host.lapse("ann");
    assert!(!host.registered("ann") && !host.notify("ann", UserEvents::told("hi", 3)));
    assert!(user(&host, "ann", 1).received().is_empty(), "the mailbox went with the identity");
}

#[test]
fn an_id_tells_notifications_apart_and_comes_again_with_the_same() {
    let host = Host::new();
    let one = user(&host, "ann", 1);
    for _ in 0..2 {
        assert!(host.notify("ann", UserEvents::identified()));
    }
    host.repeat_notification("ann");
    host.broadcast("user", UserEvents::identified());
    one.call("who", json!({}));
    let [first, second, again, by_event, by_client] = &one.texts()[..] else { panic!("five of them") };
    assert_ne!(first, second);
    assert_eq!(second, again);
    assert_eq!((by_event.as_str(), by_client.as_str()), ("null", "None"), "no notification is running");

    host.lapse("ann");
    let later = user(&host, "ann", 1);
    assert!(host.notify("ann", UserEvents::identified()));
    assert!(![first, second].contains(&&later.texts()[0]), "not even a new life repeats an id");
}

#[test]
fn what_a_method_does_not_take_is_reported_and_handled() {
    let host = Host::new();
    let one = user(&host, "ann", 1);
    assert!(host.notify("ann", Event::new("told", ("hi",))));
    assert!(host.notify("ann", Event::new("unknown", ())));
    one.call("told", json!({ "text": "forged", "number": 1 }));
    tell(&host, "ann", 3);
    assert_eq!(one.texts(), said([3], "ann"));
    let misfit = |origin, reason: &str| Misfit { origin, name: "told".to_owned(), reason: reason.to_owned() };
    let expected = [
        misfit(Origin::Event, "argument `number` is missing"),
        misfit(Origin::Client, "clients may not call this method"),
    ];
    assert_eq!(host.misfits(), expected);
    assert_eq!(host.mailbox("ann"), []);
}

#[test]
fn what_comes_while_a_connection_closes_waits_for_the_next() {
    let host = Host::new();
    let _one = user(&host, "ann", 1);
    assert!(host.notify("ann", UserEvents::leave_now(4000)));
    let next = host.connect::<User>("/user/ann/1").expect("open to all");
    assert_eq!(next.texts(), ["Ok(())", "farewell 0 Some(\"ann\")"], "and not what made the other leave");
}

#[test]
fn while_the_store_is_away_nothing_is_promised_and_nothing_is_lost() {
    let host = Host::new();
    let one = user(&host, "ann", 1);
    host.lose_store();
    let late = host.connect::<User>("/user/ann/1").expect("open to all");
    assert_eq!(late.texts(), ["Err(Unavailable(\"the store is away\"))"]);
    one.send("ann");
    assert_eq!(host.log(), ["message: unavailable: the store is away"]);
    one.inspect(|user: &mut User| {
        assert!(matches!(user.socket.unregister("ann"), Err(Fault::Unavailable(_))));
        assert!(matches!(messaging::registered("ann"), Err(Fault::Unavailable(_))));
    });
    tell(&host, "ann", 1);
    assert!(one.received().is_empty());

    host.regain_store();
    assert_eq!(one.texts(), said([1], "ann"));
    one.inspect(|_: &mut User| assert_eq!(messaging::registered("ann"), Ok(true)));
}

#[test]
fn what_is_no_identity_is_refused() {
    let host = Host::new();
    let one = user(&host, "ann", 1);
    let long = "x".repeat(257);
    one.inspect(|user: &mut User| {
        let refused = |fault: Fault| matches!(fault, Fault::Invalid(_));
        for name in ["", &long] {
            assert!(user.socket.register_as(name, IdentityOptions::new()).is_err_and(refused));
            assert!(user.socket.unregister(name).is_err_and(refused));
            assert!(messaging::notify(name, UserEvents::identified()).is_err_and(refused));
            assert!(messaging::registered(name).is_err_and(refused));
        }
        assert!(user.socket.register_as("ann", IdentityOptions::new().max_connections(0)).is_err_and(refused));
        assert!(messaging::notify("ann", Event::new("", ())).is_err_and(refused));
        assert_eq!(user.socket.register_as(&long[1..], IdentityOptions::new()), Ok(()));
    });
}

#[test]
fn a_short_lifetime_is_raised_with_a_warning() {
    let host = Host::new();
    let one = user(&host, "ann", 1);
    for minutes in [10, 5] {
        let options = IdentityOptions::new().lifetime(Duration::from_secs(minutes * 60));
        one.inspect(|user: &mut User| user.socket.register_as("ann", options).expect("ok"));
    }
    assert_eq!(host.log(), ["register_as: a lifetime of 300 s is raised to 600 s"]);
}
