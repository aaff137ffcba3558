//! A chat: rooms by path, nicknames, who is here, who comes and who goes. The page is in `public/`.
//!
//! Try it: open the server's address in two tabs. Without a browser: connect a WebSocket client to
//! `/chat/lobby?name=bob` and send `{"event":"say","text":"hi"}`.

use lakou_sdk::{Acceptance, Closing, ConnectionId, Controller, Refusal, Request, Result, Socket, controller, json};

/// Longer nicknames are refused, in characters.
const LONGEST_NAME: usize = 24;
/// Longer texts are not said, in characters.
const LONGEST_TEXT: usize = 2000;

/// Somebody in a room.
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
        let chat = Self { socket, room, name };
        chat.tell_all(ChatEvents::joined(&chat.room, &chat.name, &chat.socket.id()));
        chat
    }

    /// Everybody sees a text by the same way, the one who says it included.
    #[client]
    fn say(&mut self, text: &str) -> Result {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_TEXT {
            return self
                .socket
                .send(json!({ "event": "refused", "reason": format!("1 to {LONGEST_TEXT} characters") }));
        }
        self.tell_all(ChatEvents::said(&self.room, &self.name, text));
        let (room, name) = (self.room.clone(), self.name.clone());
        self.said(&room, &name, text)
    }

    #[event]
    fn said(&mut self, room: &str, name: &str, text: &str) -> Result {
        self.show(room, json!({ "event": "said", "name": name, "text": text }))
    }

    /// A newcomer hears from everybody who is here already.
    #[event]
    fn joined(&mut self, room: &str, name: &str, id: &ConnectionId) -> Result {
        if room == self.room {
            self.socket.unicast(id, ChatEvents::here(&self.room, &self.name))?;
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
        self.tell_all(ChatEvents::left(&self.room, &self.name));
    }
}

impl Chat {
    /// All connections of this controller get an event; those in other rooms do not show it.
    fn tell_all(&self, event: lakou_sdk::Event) {
        if let Err(fault) = self.socket.broadcast(event) {
            eprintln!("room {}: {fault}", self.room);
        }
    }

    fn show(&self, room: &str, what: lakou_sdk::Value) -> Result {
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
