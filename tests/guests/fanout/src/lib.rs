//! One connection speaks, many hear it: the load of the fan-out benchmark. Who asks by plain HTTP gets the benchmark's message.
//!
//! What a connection says as text goes out as an event, so that every other connection's object sends it to its client.
//! What it says as bytes goes out on a topic, which the host hands to the clients of `/fanout/listener` by itself.

use lakou_sdk::{Controller, Message, Request, Result, Socket, controller, http, messaging};

const TOPIC: &str = "fanout";

/// One connection, speaker or listener.
pub struct Fanout {
    socket: Socket,
}

#[controller(path = "/fanout/{role}")]
impl Controller for Fanout {
    fn open(socket: Socket, request: Request) -> Self {
        if request.param("role") == Some("listener") {
            // Without the topic the listener gets nothing, which fails the run.
            let _ = socket.subscribe(TOPIC);
        }
        Self { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        match message {
            Message::Text(text) => self.socket.broadcast(FanoutEvents::heard(&text)),
            bytes @ Message::Binary(_) => messaging::publish(TOPIC, bytes),
        }
    }

    fn http(_request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        http::Response::new(vec![b'x'; 128])
    }

    #[event]
    fn heard(&mut self, text: &str) -> Result {
        self.socket.send(text)
    }
}
