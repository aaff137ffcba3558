//! A fake client: what it sends, what it has received, how it ends.

use std::rc::Rc;

use serde_json::Value;

use super::yard::Yard;
use crate::class::Class;
use crate::closing::Closing;
use crate::id::ConnectionId;
use crate::message::Message;
use crate::request::Acceptance;
use crate::saved::Saved;

/// One connected client, or the [server](super::Server) at the other end of a connection outwards. Dropping it does not end the connection; [`leave`](Self::leave) does.
#[derive(Debug)]
pub struct Client {
    yard: Rc<Yard>,
    id: ConnectionId,
    acceptance: Acceptance,
}

impl Client {
    pub(super) fn new(yard: Rc<Yard>, id: ConnectionId, acceptance: Acceptance) -> Self {
        Self { yard, id, acceptance }
    }

    /// The connection's address.
    pub fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// What `connect` answered: the subprotocol and header fields.
    pub fn acceptance(&self) -> &Acceptance {
        &self.acceptance
    }

    /// Sends a message; when this returns, everything that it set off has happened. One of over 1 MiB ends the connection with
    /// 1009 instead.
    ///
    /// # Panics
    ///
    /// If the connection has ended.
    pub fn send(&self, message: impl Into<Message>) {
        self.yard.send(&self.id, message.into());
    }

    /// Calls a `#[client]` method: sends `arguments`, a JSON object, with the member `event` added.
    ///
    /// # Panics
    ///
    /// If `arguments` is not a JSON object, or the connection has ended.
    pub fn call(&self, event: &str, mut arguments: Value) {
        arguments
            .as_object_mut()
            .expect("arguments have names: a JSON object")
            .insert("event".to_owned(), event.into());
        self.send(arguments);
    }

    /// Takes what has been received since the last time.
    pub fn received(&self) -> Vec<Message> {
        self.yard.received(&self.id)
    }

    /// Takes what has been received since the last time, all of it text.
    ///
    /// # Panics
    ///
    /// If a message is binary.
    pub fn texts(&self) -> Vec<String> {
        let text = |message| match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => panic!("a text was expected and {bytes:?} received"),
        };
        self.received().into_iter().map(text).collect()
    }

    /// Takes what has been received since the last time, all of it JSON.
    ///
    /// # Panics
    ///
    /// If a message is not JSON.
    pub fn json(&self) -> Vec<Value> {
        let json = |message: Message| match message.parse() {
            Ok(value) => value,
            Err(fault) => panic!("JSON was expected and {message:?} received: {fault}"),
        };
        self.received().into_iter().map(json).collect()
    }

    /// The topics that the connection is subscribed to.
    pub fn topics(&self) -> Vec<String> {
        self.yard.topics(&self.id)
    }

    /// The identities that the connection is registered as.
    pub fn identities(&self) -> Vec<String> {
        self.yard.identities(&self.id)
    }

    /// What was saved for the connection last; `None` if nothing was.
    pub fn saved(&self) -> Option<Saved> {
        self.yard.saved(&self.id)
    }

    /// How many timers of the connection run.
    pub fn timers(&self) -> usize {
        self.yard.timers(&self.id)
    }

    /// How the connection ended; `None` while it lives.
    pub fn closing(&self) -> Option<Closing> {
        self.yard.closing(&self.id)
    }

    /// The client closes with 1000. Nothing happens if the connection has ended.
    pub fn leave(&self) {
        self.leave_with(1000, "");
    }

    /// The client closes with this code and reason.
    pub fn leave_with(&self, code: u16, reason: &str) {
        self.yard.close(&self.id, Closing::new(code, reason));
        self.yard.settle();
    }

    /// The client is gone without a close frame: 1006.
    pub fn vanish(&self) {
        self.leave_with(1006, "");
    }

    /// Looks at the connection's object.
    ///
    /// # Panics
    ///
    /// If the connection has ended or its object is not a `C`.
    pub fn inspect<C: Class, R>(&self, look: impl FnOnce(&mut C) -> R) -> R {
        let result = self.yard.inspect(&self.id, look);
        self.yard.settle();
        result
    }
}
