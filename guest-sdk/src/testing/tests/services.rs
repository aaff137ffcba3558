//! Keys and values, configuration, log and outgoing requests of the fake host.

use std::time::Duration;

use crate::testing::Host;
use crate::{Controller, Fault, Request, Result, Socket, config, controller, http, keyvalue, log, outgoing};

/// Does nothing by itself: the tests do it in its place.
pub(super) struct Idle {
    pub(super) socket: Socket,
}

#[controller]
impl Controller for Idle {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }
}

/// Runs `work` as a handler of a connection would.
pub(super) fn inside<R>(host: &Host, work: impl FnOnce() -> R) -> R {
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
fn a_request_may_fail_in_the_ways_that_it_does_outside() {
    let host = Host::new();
    let ask = || {
        let request = http::Request::get("https://example.org/").body("").expect("a request");
        inside(&host, || outgoing::send(request)).map(|answer| answer.into_body().len())
    };
    for fault in [Fault::Unavailable("no answer".to_owned()), Fault::Denied("its address".to_owned())] {
        let given = fault.clone();
        host.answer_outgoing(move |_| Err(given.clone()));
        assert_eq!(ask(), Err(fault));
    }
    host.answer_outgoing(|request| match request.uri().path() {
        "/" => Ok(http::Response::new(vec![0; 8 << 20])),
        other => Err(Fault::Invalid(other.to_owned())),
    });
    assert_eq!(ask(), Ok(8 << 20));
    host.answer_outgoing(|_| http::Response::new(vec![0; (8 << 20) + 1]));
    assert_eq!(ask(), Err(Fault::TooLarge));
}

#[test]
fn a_request_that_the_real_host_does_not_send_is_refused() {
    let host = Host::new();
    host.answer_outgoing(|_| http::Response::new(Vec::new()));
    let send = |request: http::request::Builder| {
        let request = request.body("hello").expect("a request");
        inside(&host, || outgoing::send(request)).map(drop)
    };
    let to = |uri: &str| http::Request::post(uri);
    let with = |name: &str, value: &str| to("https://example.org/").header(name, value);
    for fits in [to("http://[::1]:8080/a@b?c=d@e"), with("content-length", "5"), with("authorization", "Bearer x")] {
        assert_eq!(send(fits), Ok(()));
    }
    let forbidden = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"];
    for name in forbidden.into_iter().chain(["transfer-encoding", "upgrade", "Host", "http2-settings"]) {
        assert!(matches!(send(with(name, "x")), Err(Fault::Invalid(wrong)) if wrong.contains("the host's")), "{name}");
    }
    for uri in ["https://me@example.org/", "https://me:secret@example.org/", "http://x:/", "http://a~b/"] {
        assert!(matches!(send(to(uri)), Err(Fault::Invalid(_))), "{uri}");
    }
    let large = "x".repeat(64 * 1024);
    let method = |length: usize| to("https://example.org/").method(&large.to_uppercase()[..length]);
    assert_eq!(send(method(64)), Ok(()));
    let twice = with("content-length", "5").header("content-length", "5");
    for wrong in [method(65), with("a", &large), with("content-length", "+5"), twice] {
        assert!(matches!(send(wrong), Err(Fault::Invalid(_))));
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
