//! A guest of identities: it registers, notifies and tells what it is notified, as its client says (`command.rs`). The
//! query of the handshake says what it does without being told, and plain requests notify from outside of a connection.

mod command;

use lakou_sdk::{Controller, Message, Request, Result, Socket, controller, http, notification};
use std::rc::Rc;

/// A connection that obeys.
pub struct Postbox {
    socket: Rc<Socket>,
    request: Request,
}

#[controller(path = "/postbox/{*rest}")]
impl Controller for Postbox {
    /// `?open=COMMAND` is obeyed at once.
    fn open(socket: Socket, request: Request) -> Self {
        let postbox = Postbox { socket: Rc::new(socket), request };
        postbox.obey_query("open");
        postbox
    }

    fn message(&mut self, message: Message) -> Result {
        self.answer(message.as_text().unwrap_or_default())
    }

    /// `?replaced=COMMAND` is obeyed whenever this is called.
    fn replaced(&mut self, identity: &str) -> Result {
        self.socket.send(format!("replaced {identity}"))?;
        self.obey_query("replaced");
        Ok(())
    }

    fn shutdown(&mut self) -> Result {
        self.socket.send("farewell")
    }

    /// What is notified. A text that begins with `do` is a command, with `panic` the end of the instance.
    #[event]
    fn note(&mut self, text: &str) -> Result {
        let notification = notification().expect("servers only, by notifying");
        self.socket.send(format!("{} {} {text}", notification.identity(), notification.id()))?;
        assert!(!text.starts_with("panic"), "{text}");
        text.strip_prefix("do ").map_or(Ok(()), |command| self.answer(command))
    }

    /// `POST /postbox/notify?NAME` and `GET /postbox/registered?NAME`, answered as the commands are.
    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let name = request.uri().query().unwrap_or_default();
        let answer = match request.uri().path().rsplit('/').next().unwrap_or_default() {
            "notify" => command::notify(name, &String::from_utf8_lossy(request.body())),
            "registered" => command::registered(name),
            _ => "no such path".to_owned(),
        };
        http::Response::new(answer.into_bytes())
    }
}

impl Postbox {
    fn answer(&self, command: &str) -> Result {
        self.socket.send(command::obey(&self.socket, command))
    }

    fn obey_query(&self, name: &str) {
        if let Some(command) = self.request.query_param(name) {
            let _ = self.answer(&command);
        }
    }
}
