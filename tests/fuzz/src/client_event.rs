//! A text from a client, as a controller's methods get it: a call of a method that is marked for clients, or a call that does
//! not fit and is told, or a message like any other. Never two of these, never a panic, never a method that is not marked.

use std::collections::BTreeMap;

use lakou_sdk::testing::Host;
use lakou_sdk::{Controller, Message, Request, Result, Socket, Value, controller};

struct Target {
    socket: Socket,
}

#[controller(path = "/target")]
impl Controller for Target {
    fn open(socket: Socket, _request: Request) -> Self {
        Target { socket }
    }

    fn message(&mut self, _message: Message) -> Result {
        self.socket.send("message")
    }

    #[client]
    fn text(&mut self, text: &str, count: u8) -> Result {
        self.socket.send(format!("text {} {count}", text.len()))
    }

    #[client]
    fn maybe(&mut self, number: Option<f64>, list: Vec<i64>) -> Result {
        self.socket.send(format!("maybe {number:?} {}", list.len()))
    }

    #[client]
    fn anything(&mut self, map: BTreeMap<String, Value>, pair: (bool, char)) -> Result {
        self.socket.send(format!("anything {} {pair:?}", map.len()))
    }

    #[event]
    fn secret(&mut self) -> Result {
        self.socket.send("secret")
    }
}

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let host = Host::new();
    let client = host.connect::<Target>("/target").expect("it takes everybody");
    client.send(text);
    let heard = client.texts();
    assert_eq!(heard.len() + host.misfits().len(), 1, "{heard:?} {:?}", host.misfits());
    assert!(!heard.contains(&"secret".to_owned()), "it is for servers only");
    assert_eq!(client.closing(), None);
}
