//! Sends back what it gets: the smallest controller.
//!
//! Try it: connect a WebSocket client to `/echo` and say something.

use lakou_sdk::{Controller, Message, Request, Result, Socket, controller};

/// One connection; all it needs to know is where to answer.
pub struct Echo {
    socket: Socket,
}

#[controller(path = "/echo")]
impl Controller for Echo {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        self.socket.send(message)
    }
}
