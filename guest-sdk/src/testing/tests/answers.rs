//! Acceptances and refusals that the real host can not give to a client, and answers with 500.

use crate::testing::Host;
use crate::{Acceptance, Controller, Refusal, Request, Result, Socket, controller};

/// Answers what the request says: a status, or none to accept, and a header field.
struct Porter;

#[controller]
impl Controller for Porter {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        let (name, value) = (request.query_param("name").unwrap_or_default(), request.header("x-value").unwrap_or("x"));
        let times = request.query_param("times").map_or(1, |times| times.parse().expect("a number"));
        let fields = (0..times).map(|_| (name.clone(), value));
        match request.query_param("status") {
            None => Ok(fields.fold(Acceptance::new(), |yes, (name, value)| yes.with_header(name, value))),
            Some(status) => {
                let no = Refusal::new(status.parse().expect("a status"), "no");
                Err(fields.fold(no, |no, (name, value)| no.with_header(name, value)))
            }
        }
    }

    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }
}

/// The status that the client gets; 101: it is connected.
fn status(host: &Host, query: &str, value: &str) -> u16 {
    let request = Request::get(&format!("/porter?{query}")).with_header("x-value", value);
    host.connect::<Porter>(request).map_or_else(|refusal| refusal.status(), |_| 101)
}

#[test]
fn header_fields_of_an_acceptance_are_some_that_can_be_sent() {
    let host = Host::new();
    assert_eq!(status(&host, "name=set-cookie", "a=b"), 101);
    for own in ["Connection", "upgrade", "content-length", "transfer-encoding", "Sec-WebSocket-Extensions", "", "a+b"] {
        assert_eq!(status(&host, &format!("name={own}"), "x"), 500, "{own}");
    }
    assert_eq!(status(&host, "name=a", "x\r\ny: z"), 500);
    assert_eq!((status(&host, "name=a&times=100", "x"), status(&host, "name=a&times=101", "x")), (101, 500));
    let long = "x".repeat(64 * 1024);
    assert_eq!((status(&host, "name=a", &long[1..]), status(&host, "name=a", &long)), (101, 500));
}

#[test]
fn a_refusal_has_a_status_of_one_and_header_fields_that_can_be_sent() {
    let host = Host::new();
    for possible in [300, 307, 404, 599] {
        assert_eq!(status(&host, &format!("status={possible}&name=sec-websocket-version"), "x"), possible);
    }
    for impossible in [0, 101, 200, 299, 600, 65535] {
        assert_eq!(status(&host, &format!("status={impossible}&name=a"), "x"), 500, "{impossible}");
    }
    for own in ["Content-Length", "transfer-encoding", "Connection", "upgrade", "", "a+b"] {
        assert_eq!(status(&host, &format!("status=404&name={own}"), "x"), 500, "{own}");
    }
    assert_eq!(status(&host, "status=426&name=upgrade", "other"), 426);
    assert_eq!(status(&host, "status=404&name=a", "\u{1}"), 500);
    assert_eq!(status(&host, "status=404&name=a&times=101", "x"), 500);
}

#[test]
fn what_is_wrong_is_in_the_body_and_the_log() {
    let host = Host::new();
    let refusal = host.connect::<Porter>("/porter?status=200&name=a").expect_err("no status to refuse with");
    let wrong = "connect refused with status 200; 300 to 599 are possible";
    assert_eq!((refusal.body(), host.log()), (wrong.as_bytes(), vec![format!("500: {wrong}")]));
}
