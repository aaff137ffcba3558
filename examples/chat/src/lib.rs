//! A chat: rooms by path, nicknames, who is here, who comes and who goes. The page is in `public/`.
//!
//! Try it: open the server's address in two tabs. Without a browser: connect a WebSocket client to
//! `/chat/lobby?name=bob` and send `{"event":"say","text":"hi"}`.

use lakou_sdk::{
    Acceptance, Closing, ConnectionId, Controller, Refusal, Request, Result, Socket, Value, controller, json, messaging,
};

/// Longer nicknames are refused, in characters.
const LONGEST_NAME: usize = 24;
/// Longer texts are not said, in characters.
const LONGEST_TEXT: usize = 2000;

/// Somebody in a room. Events reach all rooms; each connection shows those of its own.
pub struct Chat {
    socket: Socket,
    room: String,
    name: String,
}

#[controller(path = "/chat/{room}")]
impl Controller for Chat {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        match nickname(request) {
            Some(_) => Ok(Acceptance::new()),
            None => Err(Refusal::new(400, format!("Say who you are: ?name= and 1 to {LONGEST_NAME} characters.\n"))),
        }
    }

    fn open(socket: Socket, request: Request) -> Self {
        let room = request.param("room").unwrap_or_default().to_owned();
        let name = nickname(&request).expect("`connect` has looked at it");
        if let Err(fault) = socket.broadcast(ChatEvents::joined(&room, &name, &socket.id())) {
            eprintln!("{room}: nobody hears that {name} joins: {fault}");
        }
        Self { socket, room, name }
    }

    /// Everybody gets it by the same way, the one who says it included.
    #[client]
    fn say(&mut self, text: &str) -> Result {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_TEXT {
            let reason = format!("1 to {LONGEST_TEXT} characters");
            return self.socket.send(json!({ "event": "refused", "reason": reason }));
        }
        messaging::broadcast_own(ChatEvents::said(&self.room, &self.name, text))
    }

    #[event]
    fn said(&mut self, room: &str, name: &str, text: &str) -> Result {
        self.show(room, json!({ "event": "said", "name": name, "text": text }))
    }

    /// A newcomer hears from everybody who is here already.
    #[event]
    fn joined(&mut self, room: &str, name: &str, id: &ConnectionId) -> Result {
        if room == self.room {
            self.socket.unicast(id, ChatEvents::here(room, &self.name))?;
        }
        self.show(room, json!({ "event": "joined", "name": name }))
    }

    #[event]
    fn here(&mut self, room: &str, name: &str) -> Result {
        self.show(room, json!({ "event": "here", "name": name }))
    }

    #[event]
    fn left(&mut self, room: &str, name: &str) -> Result {
        self.show(room, json!({ "event": "left", "name": name }))
    }

    fn close(&mut self, _closing: Closing) {
        if let Err(fault) = self.socket.broadcast(ChatEvents::left(&self.room, &self.name)) {
            eprintln!("{}: nobody hears that {} leaves: {fault}", self.room, self.name);
        }
    }
}

impl Chat {
    fn show(&self, room: &str, what: Value) -> Result {
        if room == self.room { self.socket.send(what) } else { Ok(()) }
    }
}

/// The nickname that a request asks for, if it is one.
fn nickname(request: &Request) -> Option<String> {
    let name = request.query_param("name")?.trim().to_owned();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    fits.then_some(name)
}

#[cfg(test)]
mod tests;
