//! The fake host, and with it the way from the host's calls to the handlers: both hosts share it.

use super::{Client, Host, Misfit, Origin};
use crate::{Acceptance, Closing, ConnectionId, Controller, Event, Fault, Message, Refusal, Request, Result, Socket};
use crate::{controller, json, messaging};

mod answers;
mod grants;
mod identities;
mod limits;
mod outward;
mod saved;
mod services;
mod timers;

/// Does what it is told, and tells its client what happens to it.
struct Puppet {
    socket: Socket,
}

#[controller(path = "/puppet/{*rest}")]
impl Controller for Puppet {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        match request.header("x-choose") {
            Some(subprotocol) => Ok(Acceptance::new().with_subprotocol(subprotocol)),
            None if request.query() == Some("refuse") => Err(Refusal::new(403, "no").with_header("x-why", "because")),
            None => Ok(Acceptance::new().with_header("x-served-by", "puppet")),
        }
    }

    fn open(socket: Socket, request: Request) -> Self {
        if let Some(first) = request.query_param("say") {
            socket.send(first).expect("it is open");
        }
        Self { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        match message.as_text() {
            Some("fail") => Err(Fault::Invalid("two\nlines".to_owned())),
            Some("gone") => Err(Fault::Gone),
            Some("close") => {
                self.socket.close(4001, "enough")?;
                assert_eq!(self.socket.close(4002, "late"), Ok(()));
                self.socket.send("late")
            }
            _ => self.socket.send(message),
        }
    }

    fn close(&mut self, closing: Closing) {
        assert_eq!(self.socket.send("late"), Err(Fault::Gone));
        let note = format!("closed with {}", closing.code);
        self.socket.broadcast(PuppetEvents::note(&note, 0)).expect("others live");
    }

    fn shutdown(&mut self) -> Result {
        self.socket.send("farewell")
    }

    fn undelivered(&mut self, target: ConnectionId, event: Event) -> Result {
        self.socket.send(format!("{target} did not get {}{}", event.name(), event.args()))
    }

    /// For servers only.
    #[event]
    fn note(&mut self, text: &str, number: u32) -> Result {
        self.socket.send(format!("{text} {number}"))
    }

    #[event]
    fn all_sorts(&mut self, list: &[u8], owned: Vec<String>, maybe: Option<i8>, id: &ConnectionId) {
        let _ = self.socket.send(json!([list, owned, maybe, id]));
    }

    #[client]
    fn emit(&mut self, how: &str, to: Option<ConnectionId>) -> Result {
        let event = PuppetEvents::note(how, 1);
        let to = to.unwrap_or_else(|| self.socket.id());
        match how {
            "broadcast" => self.socket.broadcast(event),
            "multicast" => self.socket.multicast(event),
            "unicast" => self.socket.unicast(&to, event),
            "broadcast to all" => messaging::broadcast("puppet", event),
            "broadcast to own" => messaging::broadcast_own(event),
            "multicast to all" => messaging::multicast(event),
            "unicast from nobody" => messaging::unicast(&to, event),
            other => Err(Fault::Invalid(other.to_owned())),
        }
    }

    #[client]
    fn r#type(&mut self, r#as: String) -> Result {
        self.socket.send(r#as)
    }
}

/// Another class, which knows `note` by its name only and has no methods for clients.
struct Bystander {
    socket: Socket,
}

#[controller]
impl Controller for Bystander {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        self.socket.send(message)
    }

    #[event]
    fn note(&mut self, text: String, number: u32) {
        let _ = self.socket.send(format!("overheard {text} {number}"));
    }
}

fn puppet(host: &Host) -> Client {
    host.connect::<Puppet>("/puppet/x").expect("not refused")
}

fn bystander(host: &Host) -> Client {
    host.connect::<Bystander>("/bystander").expect("not refused")
}

#[test]
fn connect_decides() {
    let host = Host::new();
    let refusal = host.connect::<Puppet>("/puppet/x?refuse").expect_err("refused");
    assert_eq!((refusal.status(), refusal.body()), (403, &b"no"[..]));
    assert_eq!(refusal.headers(), [("x-why".to_owned(), b"because".to_vec())]);

    let offer = Request::get("/puppet/x").with_header("X-Choose", "v2");
    assert_eq!(host.connect::<Puppet>(offer.clone()).expect_err("not offered").status(), 500);
    for wrong in ["v2, v3", "v 2", "{}", ""] {
        let wrong = Request::get("/puppet/x?refuse").with_subprotocol(wrong);
        assert_eq!(host.connect::<Puppet>(wrong.clone()).expect_err("no token").status(), 400, "{wrong:?}");
    }
    let client = host.connect::<Puppet>(offer.with_subprotocol("v2")).expect("offered");
    assert_eq!(client.acceptance().subprotocol(), Some("v2"));
    assert_eq!(puppet(&host).acceptance().headers(), [("x-served-by".to_owned(), b"puppet".to_vec())]);
}

#[test]
#[should_panic(expected = "`/nowhere` is not on the path `/puppet/{*rest}` of `puppet`")]
fn a_test_that_connects_elsewhere_is_told() {
    let _ = Host::new().connect::<Puppet>("/nowhere");
}

#[test]
fn what_open_sends_arrives_first() {
    let host = Host::new();
    let client = host.connect::<Puppet>("/puppet/x?say=a+b").expect("not refused");
    client.send("second");
    client.send(b"\x00\xff");
    let expected = [Message::Text("a b".into()), Message::Text("second".into()), Message::Binary(vec![0, 255])];
    assert_eq!(client.received(), expected);
}

#[test]
fn events_reach_whom_they_are_for() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| puppet(&host));
    let other = bystander(&host);
    for (how, to_one, to_two, to_other) in [
        ("broadcast", 0, 1, 0),
        ("multicast", 0, 1, 1),
        ("unicast", 1, 0, 0),
        ("broadcast to all", 1, 1, 0),
        ("broadcast to own", 1, 1, 0),
        ("multicast to all", 1, 1, 1),
        ("unicast from nobody", 1, 0, 0),
    ] {
        one.call("emit", json!({ "how": how }));
        let counts = [&one, &two, &other].map(|client| client.received().len());
        assert_eq!(counts, [to_one, to_two, to_other], "{how}");
    }
    one.call("emit", json!({ "how": "unicast", "to": other.id() }));
    assert_eq!(other.texts(), ["overheard unicast 1"]);
    assert_eq!(host.misfits(), []);
}

#[test]
fn what_cannot_be_delivered_comes_back() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| puppet(&host));
    two.vanish();
    assert_eq!(one.texts(), ["closed with 1006 0"]);

    one.call("emit", json!({ "how": "unicast", "to": two.id() }));
    assert_eq!(one.texts(), [format!("{} did not get note[\"unicast\",1]", two.id())]);

    one.call("emit", json!({ "how": "unicast from nobody", "to": two.id() }));
    one.call("emit", json!({ "how": "unicast", "to": "nobody" }));
    assert_eq!(host.log(), ["emit: invalid: not the id of a connection"], "gone is no news");
}

#[test]
fn all_sorts_of_arguments_travel() {
    let host = Host::new();
    let one = puppet(&host);
    let id = one.id().clone();
    host.broadcast("puppet", PuppetEvents::all_sorts(&[1, 2], vec!["ü".to_owned()], None, &id));
    assert_eq!(one.json(), [json!([[1, 2], ["ü"], null, id])]);
    one.call("type", json!({ "as": "raw" }));
    assert_eq!(one.texts(), ["raw"]);
}

#[test]
fn calls_that_do_not_fit_are_counted_once_and_nobody_is_called() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| puppet(&host));
    host.multicast(Event::new("note", ("text",)));
    host.multicast(Event::from_json("note", "null"));
    host.multicast(Event::new("unknown", (1,)));
    one.call("note", json!({ "text": "t", "number": 1 }));
    one.call("öh\u{0}", json!({}));
    two.send(r#"{"event":"emit","how":7}"#);

    assert!(one.received().is_empty() && two.received().is_empty());
    let misfit = |origin, name: &str, reason: &str| Misfit { origin, name: name.to_owned(), reason: reason.to_owned() };
    let expected = [
        misfit(Origin::Event, "note", "argument `number` is missing"),
        misfit(
            Origin::Event,
            "note",
            "the arguments are not a JSON array: invalid type: null, expected a sequence at line 1 column 4",
        ),
        misfit(Origin::Client, "note", "clients may not call this method"),
        misfit(Origin::Client, "öh\u{0}", "there is no such method"),
        misfit(
            Origin::Client,
            "emit",
            "argument `how`: invalid type: integer `7`, expected a string at line 1 column 1",
        ),
    ];
    assert_eq!(host.misfits(), expected);
}

#[test]
fn what_is_told_of_a_misfit_is_short() {
    let host = Host::new();
    let one = puppet(&host);
    one.call(&"é".repeat(1000), json!({}));
    one.call("emit", json!({ "how": ["x".repeat(1000)] }));
    one.call("type", json!({ "as": 1, "x": "x".repeat(100_000) }));
    host.multicast(Event::new("note", ("text", "x".repeat(1000))));
    let lengths = host.misfits().into_iter().map(|misfit| (misfit.name.len(), misfit.reason.len() <= 256));
    assert_eq!(lengths.collect::<Vec<_>>(), [(256, true), (4, true), (4, true), (4, true)]);
}

#[test]
fn texts_that_are_no_calls_go_to_message() {
    let host = Host::new();
    let (one, other) = (puppet(&host), bystander(&host));
    one.send(r#"{"event":7}"#);
    one.send("{");
    one.send(br#"{"event":"type","as":"binary"}"#);
    other.send(r#"{"event":"note"}"#);
    assert_eq!(one.received().len(), 3);
    assert_eq!(other.texts(), [r#"{"event":"note"}"#], "a class without methods for clients gets everything");
    assert_eq!(host.misfits(), []);
}

#[test]
fn an_error_is_one_line_of_the_log_and_the_connection_goes_on() {
    let host = Host::new();
    let one = puppet(&host);
    one.send("fail");
    one.send("gone");
    one.send("still here");
    assert_eq!(host.log(), ["message: invalid: two lines"]);
    assert_eq!(one.texts(), ["still here"]);
}

#[test]
fn the_first_close_wins() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| puppet(&host));
    one.send("close");
    assert_eq!(one.closing(), Some(Closing::new(4001, "enough")));
    assert_eq!(two.texts(), ["closed with 4001 0"]);
    one.leave();
    assert!(one.received().is_empty() && two.received().is_empty());
}

#[test]
fn shutdown_says_good_bye() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| puppet(&host));
    host.shutdown();
    assert_eq!(one.texts(), ["farewell"]);
    assert_eq!(two.closing().map(|closing| closing.code), Some(1001));
}

#[test]
fn topics_reach_their_subscribers() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| bystander(&host));
    one.inspect(|object: &mut Bystander| {
        assert_eq!(object.socket.subscribe("news"), Ok(()));
        assert_eq!(object.socket.subscribe("news"), Ok(()));
        assert!(matches!(object.socket.subscribe(""), Err(Fault::Invalid(_))));
        assert!(matches!(object.socket.close(1005, ""), Err(Fault::Invalid(_))));
    });
    assert_eq!(one.topics(), ["news"]);
    host.publish("news", "extra");
    one.inspect(|object: &mut Bystander| object.socket.unsubscribe("news"));
    host.publish("news", "late");
    assert_eq!(one.texts(), ["extra"]);
    assert!(two.received().is_empty());
}

#[test]
fn without_a_host_nothing_can_be_sent() {
    assert!(matches!(messaging::publish("news", "x"), Err(Fault::Unavailable(_))));
    assert!(matches!(messaging::multicast(Event::new("note", ())), Err(Fault::Unavailable(_))));
}
