//! Keys and values, configuration, log and outgoing requests of the fake host.

use std::time::Duration;

use crate::testing::Host;
use crate::{
    Controller, Event, Fault, IdentityOptions, Request, Result, Socket, config, controller, http, keyvalue, log,
    messaging, outgoing,
};

/// Does nothing by itself: the tests do it in its place.
struct Idle {
    socket: Socket,
}

#[controller]
impl Controller for Idle {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }
}

/// Runs `work` as a handler of a connection would.
fn inside<R>(host: &Host, work: impl FnOnce() -> R) -> R {
    host.connect::<Idle>("/idle").expect("open to all").inspect(|_: &mut Idle| work())
}

#[test]
fn values_are_kept_and_lapse() {
    let host = Host::new();
    inside(&host, || {
        assert_eq!(keyvalue::get("a"), Ok(None));
        keyvalue::set("a", "one")?;
        keyvalue::set_for("short", "x", Duration::from_secs(5))?;
        assert_eq!(keyvalue::get("a"), Ok(Some(b"one".to_vec())));
        keyvalue::set_json("json", &("x", 1))?;
        assert_eq!(keyvalue::get_json("json"), Ok(Some(("x".to_owned(), 1))));
        assert!(matches!(keyvalue::get_json::<u32>("a"), Err(Fault::Invalid(_))));
        Ok::<_, Fault>(())
    })
    .expect("the store is there");
    host.advance(Duration::from_secs(4));
    assert_eq!(host.value("short").as_deref(), Some(&b"x"[..]));
    host.advance(Duration::from_secs(1));
    assert_eq!(host.value("short"), None);
    assert_eq!(inside(&host, || keyvalue::exists("short")), Ok(false));
    assert_eq!(inside(&host, || keyvalue::delete("short")), Ok(false));
    assert_eq!(inside(&host, || keyvalue::delete("a")), Ok(true));
}

#[test]
fn numbers_and_swaps_are_one_step() {
    inside(&Host::new(), || {
        assert_eq!(keyvalue::increment("n", 5), Ok(5));
        assert_eq!(keyvalue::increment("n", -6), Ok(-1));
        assert!(matches!(keyvalue::increment("n", i64::MIN), Err(Fault::Invalid(_))));
        assert_eq!(keyvalue::compare_and_swap("lock", None, Some(b"me")), Ok(true));
        assert_eq!(keyvalue::compare_and_swap("lock", None, Some(b"you")), Ok(false));
        assert!(matches!(keyvalue::increment("lock", 1), Err(Fault::Invalid(_))));
        assert_eq!(keyvalue::compare_and_swap("lock", Some(b"me"), None), Ok(true));
        assert_eq!(keyvalue::exists("lock"), Ok(false));
    });
}

#[test]
fn keys_come_in_order_page_by_page() {
    inside(&Host::new(), || {
        for number in 0..600 {
            keyvalue::set(&format!("k/{number:03}"), "").expect("the store is there");
        }
        keyvalue::set("l", "").expect("the store is there");
        let keys: Result<Vec<_>> = keyvalue::keys("k/").collect();
        let keys = keys.expect("the store is there");
        assert_eq!((keys.len(), keys.is_sorted(), keys[599].as_str()), (600, true, "k/599"));
        let page = keyvalue::list("k/", Some("k/597"), 10).expect("the store is there");
        assert_eq!((page.keys.len(), page.next), (2, None));
        let page = keyvalue::list("", None, 2).expect("the store is there");
        assert_eq!(page.next.as_deref(), Some("k/001"));
    });
}

#[test]
fn what_the_real_host_refuses_is_refused() {
    let host = Host::new();
    inside(&host, || {
        assert!(matches!(keyvalue::set("", ""), Err(Fault::Invalid(_))));
        assert!(matches!(keyvalue::get(&"x".repeat(513)), Err(Fault::Invalid(_))));
        assert_eq!(keyvalue::set("a", vec![0; 256 * 1024 + 1]), Err(Fault::TooLarge));
    });
    host.lose_store();
    assert!(matches!(inside(&host, || keyvalue::get("a")), Err(Fault::Unavailable(_))));
    assert!(matches!(inside(&host, || keyvalue::keys("").next()), Some(Err(Fault::Unavailable(_)))));
}

#[test]
fn the_configuration_is_the_tests() {
    let host = Host::new();
    host.configure("limit", " 7 ");
    host.configure("name", "seven");
    inside(&host, || {
        assert_eq!((config::get("limit").as_deref(), config::get("other")), (Some(" 7 "), None));
        assert_eq!((config::parse("limit"), config::parse::<u32>("other")), (Ok(Some(7)), Ok(None)));
        assert!(matches!(config::parse::<u32>("name"), Err(Fault::Invalid(wrong)) if wrong.contains("`name`")));
        assert_eq!(config::all().len(), 2);
    });
}

#[test]
fn the_test_is_the_rest_of_the_world() {
    let host = Host::new();
    let ask = |uri: &str| {
        let request = http::Request::post(uri).body("hello").expect("a request");
        inside(&host, || outgoing::send(request)).map(|answer| answer.into_body())
    };
    assert!(matches!(ask("https://example.org/x"), Err(Fault::Denied(_))), "nothing is granted");
    host.answer_outgoing(|request| http::Response::new([request.uri().path().as_bytes(), request.body()].concat()));
    assert_eq!(ask("https://example.org/x"), Ok(b"/xhello".to_vec()));
    for uri in ["/x", "ftp://example.org", "example.org"] {
        assert!(matches!(ask(uri), Err(Fault::Invalid(_))), "{uri}");
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
fn lines_are_in_the_log() {
    let host = Host::new();
    inside(&host, || {
        log::info("a\nb");
        log::log(log::Level::Error, "disk", "full");
    });
    assert_eq!(host.log(), ["Info a b", "Error disk: full"]);
}
