//! A notification center: what a user is told waits until a tab of theirs is open, and reaches two tabs at most.
//!
//! Try it: connect a WebSocket client to `/notifications/ann`, then `curl -d 'Your tea is ready'
//! http://127.0.0.1:8000/notifications/ann` (with the address that the server has printed). Disconnect, tell ann more, and
//! connect again. Who may tell whom is for a real application to decide; here, anybody may.

use lakou_sdk::http::{self, Method, StatusCode, header};
use lakou_sdk::{
    Acceptance, Controller, Fault, IdentityOptions, Refusal, Request, Result, Socket, controller, json, messaging,
    notification,
};

/// How many tabs of a user are told.
const TABS: u32 = 2;
/// Longer names are refused, in characters.
const LONGEST_NAME: usize = 32;

/// An open tab of a user.
pub struct Notifications {
    socket: Socket,
}

#[controller(path = "/notifications/{user}")]
impl Controller for Notifications {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        match request.param("user").and_then(identity) {
            Some(_) => Ok(Acceptance::new()),
            None => Err(Refusal::new(400, format!("A user is 1 to {LONGEST_NAME} letters, digits, '-' and '_'.\n"))),
        }
    }

    fn open(socket: Socket, request: Request) -> Self {
        let identity = request.param("user").and_then(identity).expect("`connect` has looked at it");
        let outcome = match socket.register_as(&identity, IdentityOptions::new().max_connections(TABS)) {
            // What has waited comes after this.
            Ok(()) => socket.send(json!({ "event": "welcome" })),
            Err(fault) => {
                eprintln!("{identity} is not registered: {fault}");
                socket.close(1013, "try again later")
            }
        };
        if let Err(fault) = outcome {
            eprintln!("{identity} is not told so: {fault}");
        }
        Self { socket }
    }

    /// The id goes along: a page that has seen it shows nothing twice.
    #[event]
    fn notified(&mut self, text: &str) -> Result {
        let id = notification().map(|notification| notification.id().clone());
        self.socket.send(json!({ "event": "notified", "id": id, "text": text }))
    }

    fn replaced(&mut self, _identity: &str) -> Result {
        self.socket.close(4000, "open in newer tabs")
    }

    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        match *request.method() {
            Method::GET | Method::HEAD => answer(StatusCode::OK, "POST a text here; the user gets it, now or later.\n"),
            Method::POST => notify(request),
            _ => {
                let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "GET or POST.\n");
                response.headers_mut().insert(header::ALLOW, http::HeaderValue::from_static("GET, HEAD, POST"));
                response
            }
        }
    }
}

/// Tells the user whose name ends the path.
fn notify(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
    const NOBODY: &str = "There is no such user; one who connects once is known for a week.\n";
    let name = request.uri().path().rsplit('/').next();
    let Some(identity) = name.and_then(identity) else { return answer(StatusCode::NOT_FOUND, NOBODY) };
    let Ok(text) = String::from_utf8(request.into_body()) else {
        return answer(StatusCode::BAD_REQUEST, "A notification is text in UTF-8.\n");
    };
    match messaging::notify(&identity, NotificationsEvents::notified(&text)) {
        Ok(true) => answer(StatusCode::ACCEPTED, "Stored.\n"),
        Ok(false) => answer(StatusCode::NOT_FOUND, NOBODY),
        Err(Fault::TooLarge) => answer(StatusCode::PAYLOAD_TOO_LARGE, "Shorter, please.\n"),
        Err(fault) => answer(StatusCode::SERVICE_UNAVAILABLE, &format!("Not stored: {fault}.\n")),
    }
}

/// The identity of the user `name`, if that is a name. A controller's own identities begin with its name; for others, such as
/// `user:ann`, it needs a grant.
fn identity(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)).then(|| format!("notifications:{name}"))
}

fn answer(status: StatusCode, text: &str) -> http::Response<Vec<u8>> {
    let mut response = http::Response::new(text.as_bytes().to_vec());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests;
