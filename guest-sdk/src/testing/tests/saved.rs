//! Saved state in the fake host: what is kept, and objects that are made anew from it.

use std::cell::Cell;
use std::rc::Weak;
use std::time::Duration;

use crate::testing::{Client, Host, door};
use crate::{Closing, Controller, Event, Fault, Message, Request, Result, Saved, Socket, Timer};
use crate::{IdentityOptions, controller, json};

thread_local! {
    /// How many objects there are on this test's thread.
    static OBJECTS: Cell<u32> = const { Cell::new(0) };
}

/// Counts messages; what it has counted survives. Its name says whether it can be saved.
struct Tally {
    socket: Socket,
    name: String,
    count: u32,
    _alarm: Option<Timer>,
}

#[controller(path = "/tally/{name}")]
impl Controller for Tally {
    fn open(socket: Socket, request: Request) -> Self {
        Self::new(socket, &request, 0)
    }

    fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self> {
        let count = state.parse()?;
        socket.send("resumed")?;
        Ok(Self::new(socket, &request, count))
    }

    fn suspend(&mut self) -> Option<Saved> {
        match self.name.as_str() {
            "restless" => None,
            "large" => Some(vec![b'1'; 64 * 1024 + 1].into()),
            _ => Saved::json(&self.count).ok(),
        }
    }

    fn message(&mut self, message: Message) -> Result {
        self.count += 1;
        match message.as_text() {
            Some("save") => self.socket.save(Saved::json(&self.count)?),
            Some("save nonsense") => self.socket.save(&b"\xff"[..]),
            _ => self.socket.send(format!("{} {}", self.name, self.count)),
        }
    }

    fn close(&mut self, _closing: Closing) {
        assert_eq!(self.socket.save(Saved::default()), Err(Fault::Gone));
        let _ = self.socket.broadcast(TallyEvents::closed(&self.name));
    }

    #[event]
    fn closed(&mut self, name: &str) -> Result {
        self.socket.send(format!("{name} has closed"))
    }
}

impl Tally {
    fn new(socket: Socket, request: &Request, count: u32) -> Self {
        OBJECTS.set(OBJECTS.get() + 1);
        Self { socket, name: request.param("name").unwrap_or_default().to_owned(), count, _alarm: None }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        OBJECTS.set(OBJECTS.get() - 1);
    }
}

/// Saves, and has not said how to resume.
struct Forgetful {
    socket: Socket,
}

#[controller]
impl Controller for Forgetful {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }

    fn message(&mut self, _message: Message) -> Result {
        self.socket.save(Saved::json("anything")?)
    }
}

fn tally(host: &Host, name: &str) -> Client {
    host.connect::<Tally>(format!("/tally/{name}").as_str()).expect("open to all")
}

fn lost() -> Option<Closing> {
    Some(Closing::new(1012, "the controller was restarted"))
}

#[test]
fn a_saved_state_survives_the_failure_of_another() {
    let host = Host::new();
    let [ann, ben] = ["ann", "ben"].map(|name| tally(&host, name));
    ann.inspect(|tally: &mut Tally| {
        tally.socket.register_as("ann", IdentityOptions::new()).expect("ok");
        tally.socket.subscribe("news").expect("ok");
    });
    ann.send("one");
    ann.send("save");
    ann.send("three");
    assert_eq!(ann.texts(), ["ann 1", "ann 3"]);
    assert_eq!(ann.saved().map(|saved| saved.parse()), Some(Ok(2)));

    host.restart_instance::<Tally>();
    ann.send("again");
    assert_eq!(ann.texts(), ["resumed", "ann 3"], "from what was saved; and nobody has closed");
    assert_eq!((ann.identities(), ann.topics()), (vec!["ann".to_owned()], vec!["news".to_owned()]));
    assert_eq!(ben.closing(), lost(), "nothing was saved");
    assert_eq!(OBJECTS.get(), 1);

    ann.leave();
    assert_eq!(OBJECTS.get(), 0);
}

#[test]
fn an_instance_that_sleeps_comes_back_as_it_was() {
    let host = Host::new();
    let [ann, ben] = ["ann", "ben"].map(|name| tally(&host, name));
    ann.send("one");
    assert!(host.hibernate::<Tally>());
    assert_eq!([&ann, &ben].map(|client| client.saved().map(Vec::from)), [Some(b"1".to_vec()), Some(b"0".to_vec())]);
    ann.send("two");
    ben.send("one");
    assert_eq!((ann.texts(), ben.texts()), (texts(["ann 1", "resumed", "ann 2"]), texts(["resumed", "ben 1"])));
    assert_eq!(OBJECTS.get(), 2);
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[test]
fn one_that_can_not_be_saved_keeps_all_awake() {
    for name in ["restless", "large", "timed"] {
        let host = Host::new();
        let [ann, other] = ["ann", name].map(|name| tally(&host, name));
        if name == "timed" {
            other.inspect(|tally: &mut Tally| {
                tally._alarm = tally.socket.after(Duration::from_secs(1), Event::new("alarm", ())).ok();
            });
        }
        assert!(!host.hibernate::<Tally>(), "{name}");
        assert!(ann.saved().is_none() && ann.received().is_empty(), "{name}");
    }
    let host = Host::new();
    host.connect::<Forgetful>("/forgetful").expect("open to all");
    assert!(!host.hibernate::<Forgetful>());
}

#[test]
fn a_state_that_is_not_understood_ends_the_connection() {
    let host = Host::new();
    let ann = tally(&host, "ann");
    ann.send("save nonsense");
    assert_eq!(format!("{:?}", ann.saved()), "Some(Saved(\"\u{fffd}\"))");
    host.restart_instance::<Tally>();
    assert_eq!(ann.closing(), lost());
    let [line] = &host.log()[..] else { panic!("one line: {:?}", host.log()) };
    assert!(line.starts_with("not resumed: invalid: "), "{line}");
}

#[test]
fn a_state_has_a_limit_and_the_one_before_stays() {
    let host = Host::new();
    let ann = tally(&host, "ann");
    ann.inspect(|tally: &mut Tally| {
        assert_eq!(tally.socket.save(vec![b'1'; 64 * 1024]), Ok(()));
        assert_eq!(tally.socket.save(vec![b'2'; 64 * 1024 + 1]), Err(Fault::TooLarge));
    });
    assert_eq!(ann.saved(), Some(vec![b'1'; 64 * 1024].into()));
}

#[test]
fn who_can_not_resume_can_not_save() {
    let host = Host::new();
    let ann = host.connect::<Forgetful>("/forgetful").expect("open to all");
    ann.send("save");
    assert_eq!(host.log(), ["message: invalid: the component does not say that it can be resumed"]);
    let socket = Socket::new(door::Socket::new(Weak::new(), ann.id().clone()));
    let fault = Forgetful::resume(socket, Request::get("/"), Saved::default()).err();
    let wanted = "fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self>";
    assert!(fault.is_some_and(|fault| fault.to_string().contains(wanted)));

    host.restart_instance::<Forgetful>();
    assert_eq!(ann.closing(), lost());
}

#[test]
fn what_a_class_can_is_its_own() {
    let host = Host::new();
    let [ann, other] = [tally(&host, "ann"), host.connect::<Forgetful>("/forgetful").expect("open to all")];
    host.restart_instance::<Tally>();
    assert!(ann.closing().is_some() && other.closing().is_none());
    assert_eq!(Saved::json(&json!({ "a": [1] })).and_then(|saved| saved.parse()), Ok(json!({ "a": [1] })));
}
