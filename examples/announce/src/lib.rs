//! Announcements: posted over plain HTTP, received by everybody who is connected by WebSocket.
//!
//! Try it: connect a WebSocket client to `/announce`, then `curl -d 'Dinner is ready' http://127.0.0.1:8000/announce`
//! (with the address that the server has printed).

use lakou_sdk::http::{self, Method, StatusCode, header};
use lakou_sdk::{Controller, Fault, Request, Result, Socket, controller, messaging};

/// Somebody who listens.
pub struct Announce {
    socket: Socket,
}

#[controller(path = "/announce")]
impl Controller for Announce {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }

    #[event]
    fn announced(&mut self, text: &str) -> Result {
        self.socket.send(text)
    }

    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        match *request.method() {
            Method::GET | Method::HEAD => answer(StatusCode::OK, "POST a text here; all who are connected get it.\n"),
            Method::POST => match String::from_utf8(request.into_body()) {
                Ok(text) => announce(&text),
                Err(_) => answer(StatusCode::BAD_REQUEST, "An announcement is text in UTF-8.\n"),
            },
            _ => {
                let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "GET or POST.\n");
                response.headers_mut().insert(header::ALLOW, http::HeaderValue::from_static("GET, HEAD, POST"));
                response
            }
        }
    }
}

fn announce(text: &str) -> http::Response<Vec<u8>> {
    match messaging::broadcast_own(AnnounceEvents::announced(text)) {
        Ok(()) => answer(StatusCode::ACCEPTED, "Announced.\n"),
        Err(Fault::TooLarge) => answer(StatusCode::PAYLOAD_TOO_LARGE, "Shorter, please.\n"),
        Err(fault) => answer(StatusCode::SERVICE_UNAVAILABLE, &format!("Not announced: {fault}.\n")),
    }
}

fn answer(status: StatusCode, text: &str) -> http::Response<Vec<u8>> {
    let mut response = http::Response::new(text.as_bytes().to_vec());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use lakou_sdk::http::{Request, StatusCode};
    use lakou_sdk::testing::Host;

    use super::Announce;

    fn request(method: &str, body: &[u8]) -> Request<Vec<u8>> {
        Request::builder().method(method).uri("/announce").body(body.to_vec()).expect("a plain request")
    }

    #[test]
    fn what_is_posted_reaches_everybody() {
        let host = Host::new();
        let [one, two] = [(), ()].map(|()| host.connect::<Announce>("/announce").expect("open to all"));

        assert_eq!(host.http::<Announce>(request("POST", b"Dinner")).status(), StatusCode::ACCEPTED);

        assert_eq!(one.texts(), ["Dinner"]);
        assert_eq!(two.texts(), ["Dinner"]);
    }

    #[test]
    fn other_requests_are_told_what_to_do() {
        let host = Host::new();
        for (method, body, status) in [
            ("GET", &b""[..], StatusCode::OK),
            ("POST", b"\xff", StatusCode::BAD_REQUEST),
            ("DELETE", b"", StatusCode::METHOD_NOT_ALLOWED),
        ] {
            assert_eq!(host.http::<Announce>(request(method, body)).status(), status);
        }
    }
}
