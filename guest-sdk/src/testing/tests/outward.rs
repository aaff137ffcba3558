//! Services and connections to servers elsewhere, in the fake host.

use std::time::Duration;

use crate::testing::Host;
use crate::{
    Closing, ConnectOptions, ConnectionId, Controller, Event, Fault, Message, Peer, Request, Result, Saved, Socket,
    controller, messaging,
};

const FEED: &str = "wss://feed.example.org/prices?a=b";
const SECOND: Duration = Duration::from_secs(1);

/// Opens what it is told to; what it opens tells what becomes of it on a topic.
struct Dialler {
    socket: Socket,
    peer: Peer,
    word: String,
}

#[controller(path = "/dialler", service)]
impl Controller for Dialler {
    fn open(socket: Socket, request: Request) -> Self {
        let (peer, word) = (request.peer(), request.param("word").unwrap_or_default().to_owned());
        match peer {
            Peer::Client => socket.subscribe("told").expect("a client may"),
            Peer::Server => tell(&format!("open {} {:?} {word}", request.path(), request.subprotocols())),
            Peer::Nobody => tell("born"),
        }
        Self { socket, peer, word }
    }

    fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self> {
        Ok(Self { socket, peer: request.peer(), word: state.parse()? })
    }

    fn message(&mut self, message: Message) -> Result {
        tell(&format!("heard {}", message.as_text().unwrap_or_default()));
        Ok(())
    }

    fn close(&mut self, closing: Closing) {
        if self.peer != Peer::Client {
            tell(&format!("closed {}", closing.code));
        }
    }

    fn undelivered(&mut self, _target: ConnectionId, _event: Event) -> Result {
        tell("undelivered");
        Ok(())
    }

    #[event]
    fn say(&mut self, text: &str) -> Result {
        self.socket.send(text)
    }

    #[event]
    fn keep(&mut self, word: String) -> Result {
        self.socket.save(Saved::json(&word)?)?;
        self.word = word;
        Ok(())
    }
}

fn tell(text: &str) {
    let _ = messaging::publish("told", text);
}

fn options() -> ConnectOptions {
    ConnectOptions::new().subprotocol("v2").subprotocol("v1").param("word", "hello")
}

#[test]
fn what_is_opened_is_a_connection_like_any_other() {
    let host = Host::new();
    let server = host.serve(FEED);
    let [ann, ben] = [(), ()].map(|()| host.connect::<Dialler>("/dialler").expect("open to all"));
    let id = ann.inspect(|ann: &mut Dialler| {
        let id = ann.socket.connect(FEED, options())?;
        // Known from then on, though its object is still to be made.
        ann.socket.unicast(&id, DiallerEvents::say("first"))?;
        Ok::<_, Fault>(id)
    });
    let id = id.expect("it is served");
    let [feed] = &server.connections()[..] else { panic!("one connection") };
    assert_eq!((feed.id(), feed.texts()), (&id, vec!["first".to_owned()]));
    feed.send("12.5");
    assert_eq!(ben.texts(), ["open /prices [\"v2\"] hello", "heard 12.5"]);
    feed.leave();
    assert_eq!(ann.texts().last().map(String::as_str), Some("closed 1000"));
    ben.inspect(|ben: &mut Dialler| ben.socket.unicast(&id, DiallerEvents::say("anybody"))).expect("on its way");
    assert_eq!(ben.texts(), ["closed 1000", "undelivered"]);
    host.advance(10 * SECOND);
    assert!(server.connections().is_empty());
}

#[test]
fn it_ends_with_who_has_opened_it_and_when_it_is_not_wanted() {
    let host = Host::new();
    let server = host.serve(FEED);
    let ann = host.connect::<Dialler>("/dialler").expect("open to all");
    let open = || ann.inspect(|ann: &mut Dialler| ann.socket.connect(FEED, options().reconnect())).expect("served");
    let first = open();
    open();
    ann.inspect(|ann: &mut Dialler| ann.socket.disconnect(&first));
    assert_eq!((server.connections().len(), ann.texts().last().map(String::as_str)), (1, Some("closed 1000")));
    ann.leave();
    host.advance(10 * SECOND);
    assert!(server.connections().is_empty());
}

#[test]
fn what_is_lost_is_opened_again() {
    let host = Host::new();
    let server = host.serve(FEED);
    let ann = host.connect::<Dialler>("/dialler").expect("open to all");
    server.stop();
    let connect = |options| ann.inspect(|ann: &mut Dialler| ann.socket.connect(FEED, options));
    assert!(matches!(connect(options()), Err(Fault::Unavailable(_))));
    let id = connect(options().reconnect()).expect("it is tried");
    host.advance(10 * SECOND);
    server.start();
    assert!(server.connections().is_empty());
    for _ in 0..2 {
        host.advance(SECOND);
        assert_eq!(server.connections()[0].id(), &id);
        server.stop();
        server.start();
    }
    host.advance(SECOND);
    assert_eq!(ann.texts().iter().filter(|text| text.starts_with("open")).count(), 3);
}

#[test]
fn what_is_no_server_is_refused() {
    let host = Host::new();
    let ann = host.connect::<Dialler>("/dialler").expect("open to all");
    let connect = |url: &str, options| ann.inspect(|ann: &mut Dialler| ann.socket.connect(url, options));
    assert!(matches!(connect(FEED, options()), Err(Fault::Denied(_))));
    for url in ["", "feed", "https://feed.example.org/", "ws://a@b/", "ws://b/#c"] {
        assert!(matches!(connect(url, options()), Err(Fault::Invalid(_))), "{url}");
    }
    for bad in [options().header("host", "x"), options().header("a b", "x"), options().subprotocol("a,b")] {
        assert!(matches!(connect(FEED, bad), Err(Fault::Invalid(_))));
    }
}

#[test]
fn a_handshake_is_judged_as_by_the_real_host() {
    let host = Host::new();
    let ann = host.connect::<Dialler>("/dialler").expect("open to all");
    let connect = |url: &str, options| ann.inspect(|ann: &mut Dialler| ann.socket.connect(url, options));
    for url in ["wss://feed.example.org/@user?to=a@b", "ws://[::1]:81", "ws://a_b.example.org.:8080/"] {
        host.serve(url);
        assert!(connect(url, options()).is_ok(), "{url}");
    }
    let long = format!("ws://b/{}", "x".repeat(16 * 1024));
    for url in ["ws://a:b@c/", "ws://x:/", "ws://x:99999/", "ws://.x/", "ws://[::g]/", "ws://a~b/", &long] {
        assert!(matches!(connect(url, options()), Err(Fault::Invalid(_))), "{url:.40}");
    }

    host.serve(FEED);
    let large = "x".repeat(16 * 1024);
    let params = |count| (0..count).fold(ConnectOptions::new(), |options, _| options.param("", ""));
    let fitting = [
        ConnectOptions::new().subprotocol("v2.chat!#$%&'*+-^_`|~"),
        ConnectOptions::new().header("a", &large[1..]),
        ConnectOptions::new().param("a", &large[1..]),
        params(128),
    ];
    for options in fitting {
        assert!(connect(FEED, options).is_ok());
    }
    for text in ["", "a b", "a/b", "a@b", "a(b", "a\"b", "ü"] {
        assert!(matches!(connect(FEED, ConnectOptions::new().subprotocol(text)), Err(Fault::Invalid(_))), "{text}");
    }
    let beyond = [
        ConnectOptions::new().header("a", &*large),
        ConnectOptions::new().header("a", &large[2..]).subprotocol("v2"),
        ConnectOptions::new().param("a", &*large),
        params(129),
    ];
    for options in beyond {
        assert!(matches!(connect(FEED, options), Err(Fault::Invalid(_))));
    }
}

#[test]
fn a_service_hears_events_and_has_nobody_to_send_to() {
    let host = Host::new();
    let ann = host.connect::<Dialler>("/dialler").expect("open to all");
    let service = host.start::<Dialler>();
    assert_eq!(ann.texts(), ["born"]);
    let fault = |result: Result| matches!(result, Err(Fault::Invalid(_)));
    assert!(service.inspect(|service: &mut Dialler| fault(service.socket.send("x"))));
    assert!(service.inspect(|service: &mut Dialler| fault(service.socket.subscribe("told"))));
    host.multicast(DiallerEvents::say("x"));
    assert!(ann.texts() == ["x"] && host.log().len() == 1, "{:?}", host.log());

    // After a failure it is there again, with what it has saved.
    host.restart_instance::<Dialler>();
    assert_eq!(service.closing(), None);
    host.unicast(service.id(), DiallerEvents::keep("kept".to_owned()));
    host.restart_instance::<Dialler>();
    assert_eq!(service.inspect(|service: &mut Dialler| service.word.clone()), "kept");
}
