//! A guest that wants the network, which no host offers to it: the standard library makes an import of the call.

use lakou_sdk::{Controller, Message, Request, Result, Socket, controller};
use std::net::TcpStream;

/// It would tell its client whether it got through.
pub struct DialsOut {
    socket: Socket,
}

#[controller]
impl Controller for DialsOut {
    fn open(socket: Socket, _request: Request) -> Self {
        DialsOut { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        let reached = message.as_text().is_some_and(|address| TcpStream::connect(address).is_ok());
        self.socket.send(if reached { "reached" } else { "out of reach" })
    }
}
