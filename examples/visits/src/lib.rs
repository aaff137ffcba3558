//! How often a page was visited: a count in the controller's bucket, which outlives connections and the host, the same on every
//! server. The operator grants the bucket, and may configure the controller, in `lakou.toml`:
//!
//! ```toml
//! [controller.visits]
//! keyvalue = true
//! [controller.visits.config]
//! window = 3600 # seconds; without it a count never begins anew
//! ```
//!
//! Try it: connect WebSocket clients to `/visits/home`; all of them are told of each newcomer. `curl ADDRESS/visits/` lists
//! the counts of all pages (with the address that the server has printed).

use std::time::Duration;

use lakou_sdk::http::{self, StatusCode};
use lakou_sdk::{Controller, Request, Result, Socket, config, controller, json, keyvalue};

/// Pages of the list; more would be for a real application to show one by one.
const LISTED: usize = 100;

/// A visitor of one page.
pub struct Visits {
    socket: Socket,
    page: String,
}

#[controller(path = "/visits/{*page}")]
impl Controller for Visits {
    fn open(socket: Socket, request: Request) -> Self {
        let page = request.param("page").unwrap_or_default().to_owned();
        let visit = Self { socket, page };
        if let Err(fault) = visit.count() {
            eprintln!("{}: a visit is not counted: {fault}", visit.page);
        }
        visit
    }

    #[event]
    fn visited(&mut self, page: &str, count: i64) -> Result {
        if page == self.page { self.socket.send(json!({ "event": "visited", "count": count })) } else { Ok(()) }
    }

    fn http(_request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let (status, text) = match list() {
            Ok(list) => (StatusCode::OK, list),
            Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n")),
        };
        let mut response = http::Response::new(text.into_bytes());
        *response.status_mut() = status;
        response
    }
}

impl Visits {
    fn count(&self) -> Result {
        let key = format!("page/{}", self.page);
        // Adding is one step: of two visitors at the same time, on whatever server, each has a count of its own.
        let count = match config::parse("window")? {
            Some(window) => keyvalue::increment_for(&key, 1, Duration::from_secs(window))?,
            None => keyvalue::increment(&key, 1)?,
        };
        self.socket.send(json!({ "event": "visited", "count": count }))?;
        self.socket.broadcast(VisitsEvents::visited(&self.page, count))
    }
}

fn list() -> Result<String> {
    let mut list = String::new();
    for key in keyvalue::keys("page/").take(LISTED) {
        let key = key?;
        let count = keyvalue::get(&key)?.unwrap_or_default();
        list += &format!("{} {}\n", key.trim_start_matches("page/"), String::from_utf8_lossy(&count));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lakou_sdk::{http, json, testing::Host};

    use super::Visits;

    fn visited(count: u32) -> lakou_sdk::Value {
        json!({ "event": "visited", "count": count })
    }

    #[test]
    fn everybody_on_a_page_sees_it_count() {
        let host = Host::new();
        host.set_value("page/home", "41");
        let one = host.connect::<Visits>("/visits/home").expect("open to all");
        let two = host.connect::<Visits>("/visits/home").expect("open to all");
        let other = host.connect::<Visits>("/visits/about").expect("open to all");

        assert_eq!(one.json(), [visited(42), visited(43)]);
        assert_eq!(two.json(), [visited(43)]);
        assert_eq!(other.json(), [visited(1)]);

        let request = http::Request::get("/visits/").body(Vec::new()).expect("a request");
        assert_eq!(host.http::<Visits>(request).body(), b"about 1\nhome 43\n");
    }

    #[test]
    fn a_window_begins_anew() {
        let host = Host::new();
        host.configure("window", "60");
        for (wait, count) in [(0, 1), (30, 2), (30, 1)] {
            host.advance(Duration::from_secs(wait));
            let visitor = host.connect::<Visits>("/visits/home").expect("open to all");
            assert_eq!(visitor.json(), [visited(count)]);
        }
    }

    #[test]
    fn a_visit_that_can_not_be_counted_is_logged() {
        let host = Host::new();
        host.lose_store();
        let visitor = host.connect::<Visits>("/visits/home").expect("open to all");
        assert!(visitor.received().is_empty());
        host.regain_store();
        host.configure("window", "an hour");
        host.connect::<Visits>("/visits/home").expect("open to all");
        assert_eq!(host.value("page/home"), None);
    }
}
