//! A guest that does what its client says and tells what it was shown. Its first words are commands (`command.rs`); the
//! query of the handshake says how `connect` answers (`answer.rs`); plain requests emit from outside of a connection.

mod answer;
mod command;
mod kept;

use lakou_sdk::{Acceptance, Closing, ConnectionId, Controller, Event, Message, Refusal, Request, Result, Socket};
use lakou_sdk::{controller, http, messaging};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls that entered this instance, of all its connections.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// A connection that obeys.
pub struct Probe {
    socket: Rc<Socket>,
    request: Request,
}

#[controller(path = "/probe/{*rest}")]
impl Controller for Probe {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        answer::to(request)
    }

    fn open(socket: Socket, request: Request) -> Self {
        CALLS.fetch_add(1, Ordering::Relaxed);
        if let Some(topic) = request.query_param("topic") {
            let _ = socket.subscribe(&topic);
        }
        if let Some(greeting) = request.query_param("greeting") {
            let _ = socket.send(greeting);
        }
        Probe { socket: Rc::new(socket), request }
    }

    fn message(&mut self, message: Message) -> Result {
        CALLS.fetch_add(1, Ordering::Relaxed);
        match message.as_text() {
            Some(text) => command::obey(self, text),
            None => self.socket.send(&message),
        }
    }

    fn close(&mut self, closing: Closing) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        let word = format!("left {} {}", closing.code, closing.reason);
        let _ = self.socket.broadcast(ProbeEvents::tell(&word));
    }

    fn shutdown(&mut self) -> Result {
        self.socket.send("farewell")
    }

    fn undelivered(&mut self, target: ConnectionId, event: Event) -> Result {
        self.socket.send(format!("undelivered {target} {} {}", event.name(), event.args()))
    }

    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let outcome = match request.uri().path().rsplit('/').next().unwrap_or_default() {
            "multicast" => messaging::multicast(ProbeEvents::tell(&body)),
            "broadcast" => messaging::broadcast("probe", ProbeEvents::tell(&body)),
            "publish" => messaging::publish("news", body),
            _ => return http::Response::new(answer::describe(&request).into_bytes()),
        };
        http::Response::new(command::outcome(outcome).into_bytes())
    }

    /// Servers only.
    #[event]
    fn tell(&mut self, word: &str) -> Result {
        CALLS.fetch_add(1, Ordering::Relaxed);
        self.socket.send(format!("told {word}"))
    }

    /// Servers only.
    #[event]
    fn number(&mut self, sender: &str, number: u32) -> Result {
        self.socket.send(format!("{sender} {number}"))
    }

    /// Clients too: `{"event":"hail","name":"bob","times":2}`.
    #[client]
    fn hail(&mut self, name: String, times: Option<u32>) -> Result {
        self.socket.send(format!("hail {name} {}", times.unwrap_or(1)))
    }
}

/// A number of this instance's own: two connections with the same one share an instance.
fn instance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    static NUMBER: OnceLock<u64> = OnceLock::new();
    *NUMBER.get_or_init(|| RandomState::new().hash_one(0))
}
