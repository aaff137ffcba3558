//! Limits of size and number: what the real host does by default when a controller, or a client, goes beyond one.

use std::time::Duration;

use crate::testing::Host;
use crate::{
    ConnectOptions, Controller, Event, Fault, IdentityOptions, Message, Request, Result, Socket, controller, messaging,
};

const FEED: &str = "wss://feed.example.org/";
const KIB: usize = 1024;

/// Does nothing by itself: the tests do it in its place.
struct Heavy {
    socket: Socket,
}

#[controller]
impl Controller for Heavy {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        self.socket.send(format!("{} bytes", message.as_bytes().len()))
    }

    #[event]
    fn note(&mut self, _text: &str) {}
}

/// Lets the object of a new connection do something.
fn with<R>(host: &Host, work: impl FnOnce(&Socket) -> R) -> R {
    host.connect::<Heavy>("/heavy").expect("open to all").inspect(|heavy: &mut Heavy| work(&heavy.socket))
}

/// An event whose arguments have so many bytes.
fn event(bytes: usize) -> Event {
    Event::from_json("note", format!("[\"{}\"]", "x".repeat(bytes - 4)))
}

fn is_full<T>(result: Result<T>) -> bool {
    matches!(result, Err(Fault::Unavailable(_)))
}

#[test]
fn a_connection_has_so_many_topics_and_identities() {
    with(&Host::new(), |socket| {
        for number in 0..128 {
            assert_eq!(socket.subscribe(&number.to_string()), Ok(()));
        }
        let full = Fault::Unavailable("the connection has its 128 topics already".to_owned());
        assert_eq!((socket.subscribe("0"), socket.subscribe("128")), (Ok(()), Err(full)));
        socket.unsubscribe("0");
        assert_eq!(socket.subscribe("128"), Ok(()));

        let pattern = Fault::Invalid("a topic has no `*`: there are no patterns of topics".to_owned());
        assert_eq!(socket.subscribe("news/*"), Err(pattern.clone()));
        assert_eq!(messaging::publish("news/*", "x"), Err(pattern));

        let register = |identity: &str| socket.register_as(identity, IdentityOptions::new());
        for number in 0..8 {
            assert_eq!(register(&number.to_string()), Ok(()));
        }
        let full = Fault::Unavailable("the connection has its 8 identities already".to_owned());
        assert_eq!((register("0"), register("8")), (Ok(()), Err(full)));
        assert_eq!((socket.unregister("0"), register("8")), (Ok(()), Ok(())));
    });
}

#[test]
fn a_controller_has_so_many_connections_to_servers() {
    let host = Host::new();
    let server = host.serve(FEED);
    let ann = host.connect::<Heavy>("/heavy").expect("open to all");
    let connect = |options| ann.inspect(|heavy: &mut Heavy| heavy.socket.connect(FEED, options));
    let first = connect(ConnectOptions::new()).expect("it is served");
    for _ in 1..64 {
        assert!(connect(ConnectOptions::new().reconnect()).is_ok());
    }
    assert!(is_full(connect(ConnectOptions::new())));
    // Whoever has opened them: they are the controller's, also those that are being tried again.
    server.stop();
    server.start();
    assert!(connect(ConnectOptions::new()).is_ok(), "the first one is lost for good");
    assert!(is_full(with(&host, |socket| socket.connect(FEED, ConnectOptions::new()))));
    ann.inspect(|heavy: &mut Heavy| heavy.socket.disconnect(&first));
    assert!(is_full(connect(ConnectOptions::new())), "there is no such connection any more");
    ann.leave();
    assert!(with(&host, |socket| socket.connect(FEED, ConnectOptions::new())).is_ok());
}

#[test]
fn an_event_has_a_size_however_it_is_emitted() {
    let host = Host::new();
    with(&host, |socket| {
        socket.register_as("ann", IdentityOptions::new()).expect("the store is there");
        for (bytes, outcome) in [(256 * KIB, Ok(())), (256 * KIB + 1, Err(Fault::TooLarge))] {
            let id = socket.id();
            assert_eq!(socket.broadcast(event(bytes)), outcome);
            assert_eq!(socket.multicast(event(bytes)), outcome);
            assert_eq!(socket.unicast(&id, event(bytes)), outcome);
            assert_eq!(messaging::broadcast("heavy", event(bytes)), outcome);
            assert_eq!(messaging::multicast(event(bytes)), outcome);
            assert_eq!(messaging::unicast(&id, event(bytes)), outcome);
            assert_eq!(messaging::notify("ann", event(bytes)).map(drop), outcome);
            assert_eq!(socket.after(Duration::ZERO, event(bytes)).map(drop), outcome);
        }
    });
}

#[test]
fn a_message_has_a_size_whoever_sends_it() {
    let host = Host::new();
    let fits = "x".repeat(KIB * KIB);
    let long = format!("{fits}x");
    let ann = host.connect::<Heavy>("/heavy").expect("open to all");
    ann.inspect(|heavy: &mut Heavy| {
        heavy.socket.subscribe("news").expect("there is room");
        assert_eq!((heavy.socket.send(&fits), heavy.socket.send(&long)), (Ok(()), Err(Fault::TooLarge)));
        assert_eq!(
            (messaging::publish("news", &fits), messaging::publish("news", &long)),
            (Ok(()), Err(Fault::TooLarge))
        );
    });
    assert_eq!(ann.received().len(), 2);
    ann.send(fits);
    assert_eq!(ann.texts(), ["1048576 bytes"]);
    ann.send(long);
    assert_eq!((ann.texts(), ann.closing().map(|closing| closing.code)), (vec![], Some(1009)));
}

#[test]
fn the_oldest_leave_a_full_mailbox() {
    let host = Host::new();
    let ann = host.connect::<Heavy>("/heavy").expect("open to all");
    ann.inspect(|heavy: &mut Heavy| heavy.socket.register_as("ann", IdentityOptions::new())).expect("there is room");
    ann.leave();
    for number in 0..1000 {
        assert!(host.notify("ann", Event::new("note", (number,))));
    }
    assert_eq!((host.mailbox("ann").len(), host.log().len()), (1000, 0));
    assert!(host.notify("ann", Event::new("note", (1000,))));
    let mailbox = host.mailbox("ann");
    assert_eq!((mailbox.len(), mailbox[0].args(), mailbox[999].args()), (1000, "[1]", "[1000]"));
    assert_eq!(host.log(), ["the mailbox of `ann` is full: its oldest notifications are dropped"]);

    for kept in [1, 2, 3, 3] {
        assert!(host.notify("ann", event(256 * KIB)));
        let large = host.mailbox("ann").iter().filter(|event| event.args().len() == 256 * KIB).count();
        assert_eq!(large, kept, "all of them have 1 MiB, and each costs more than its arguments");
    }
}

#[test]
fn an_id_of_a_connection_is_a_uuid_of_version_8() {
    with(&Host::new(), |socket| {
        assert_eq!(socket.unicast(&socket.id(), event(4)), Ok(()));
        let other = "6d1f4a60-93ce-8b1d-9c1e-0b8f2f8f0b6a";
        assert_eq!(socket.unicast(&other.into(), event(4)), Ok(()));
        let (no_version, no_variant) = ("67e55044-10b1-426f-9247-bb680e5fe0c8", "00000000-0000-8000-0000-000000000000");
        for text in ["", "x", no_version, no_variant, &other.to_uppercase(), &other.replace('-', "")] {
            assert!(matches!(socket.unicast(&text.into(), event(4)), Err(Fault::Invalid(_))), "{text}");
            assert!(matches!(messaging::unicast(&text.into(), event(4)), Err(Fault::Invalid(_))), "{text}");
        }
    });
}
