//! A guest that opens WebSockets to where its client says, and tells the client what becomes of them. The objects of those
//! connections know their client by a parameter.

use lakou_sdk::{
    Closing, ConnectOptions, ConnectionId, Controller, Event, Message, Peer, Request, Result, Socket, controller,
    messaging,
};

/// A client, or a connection that one has opened.
pub struct Wires {
    socket: Socket,
    /// Of a connection to a server: the client that has opened it.
    client: Option<ConnectionId>,
}

#[controller(path = "/wires")]
impl Controller for Wires {
    fn open(socket: Socket, request: Request) -> Self {
        let client = request.param("client").map(ConnectionId::from);
        let wires = Wires { socket, client };
        if request.peer() == Peer::Server {
            let chosen = request.subprotocols().join(",");
            let query = request.query().unwrap_or("-");
            let from = request.header("x-from").unwrap_or("-");
            wires.tell(&format!("open {} {query} {from} [{chosen}]", request.path()));
        }
        wires
    }

    fn message(&mut self, message: Message) -> Result {
        let text = message.as_text().unwrap_or("(bytes)");
        if self.client.is_some() {
            assert!(text != "trap", "as told");
            self.tell(&format!("heard {text}"));
            return Ok(());
        }
        let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        let done = match command {
            "id" => return self.socket.send(self.socket.id().as_str()),
            // URL, and a word for a header field and a subprotocol.
            "connect" => self.connect(first, second, false),
            "keep" => self.connect(first, second, true),
            "say" => self.socket.unicast(&first.into(), WiresEvents::say(second)).map(|()| "ok".to_owned()),
            // Parameters without anything in them, so many.
            "hand-on" => {
                let options = ConnectOptions::new();
                let none = (0..second.parse().unwrap_or(0)).fold(options, |options, _| options.param("", ""));
                self.socket.connect(first, none).map(|_| "ok".to_owned())
            }
            "drop" => {
                self.socket.disconnect(&first.into());
                Ok("ok".to_owned())
            }
            _ => Ok(format!("no command `{command}`")),
        };
        self.socket.send(done.unwrap_or_else(|fault| fault.to_string()))
    }

    fn close(&mut self, closing: Closing) {
        self.tell(&format!("closed {}", closing.code));
    }

    fn undelivered(&mut self, _target: ConnectionId, event: Event) -> Result {
        self.socket.send(format!("undelivered {}", event.name()))
    }

    /// To a connection to a server: say it there.
    #[event]
    fn say(&mut self, text: &str) -> Result {
        match text {
            "trap" => panic!("as told"),
            "close" => self.socket.close(4001, "enough"),
            _ => self.socket.send(text),
        }
    }

    /// To a client: what has become of it.
    #[event]
    fn told(&mut self, what: &str) -> Result {
        self.socket.send(what)
    }
}

impl Wires {
    fn connect(&self, url: &str, word: &str, again: bool) -> Result<String> {
        let options = ConnectOptions::new().param("client", self.socket.id().as_str());
        let options = if word.is_empty() { options } else { options.header("x-word", word).subprotocol(word) };
        let options = if again { options.reconnect() } else { options };
        self.socket.connect(url, options).map(|id| id.to_string())
    }

    fn tell(&self, what: &str) {
        if let Some(client) = &self.client {
            let _ = messaging::unicast(client, WiresEvents::told(what));
        }
    }
}
