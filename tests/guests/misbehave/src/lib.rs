//! A guest that fails on purpose. `/misbehave/{plan}` says what it does and in which handler: `panic-in-message`,
//! `loop-in-event`; a plan of another form means that it behaves. Siblings in the same instance have plans of their own.
//!
//! Messages: `now` (the handler `message` is reached), `id`, `strike` (an event for the siblings), `poke ID` (the event
//! for one connection), `ripple` (an event that never ends); anything else is echoed.

mod deed;

use deed::Plan;
use lakou_sdk::{Acceptance, Refusal};
use lakou_sdk::{Closing, ConnectionId, Controller, Event, Message, Request, Result, Socket, controller, http};

/// A connection with a plan.
pub struct Misbehave {
    socket: Socket,
    plan: Plan,
}

#[controller(path = "/misbehave/{plan}")]
impl Controller for Misbehave {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        Plan::of(request.param("plan")).reached("connect", None);
        Ok(Acceptance::default())
    }

    fn open(socket: Socket, request: Request) -> Self {
        let plan = Plan::of(request.param("plan"));
        plan.reached("open", Some(&socket));
        Misbehave { socket, plan }
    }

    fn message(&mut self, message: Message) -> Result {
        match message {
            Message::Text(text) if text == "now" => {
                self.plan.reached("message", Some(&self.socket));
                Ok(())
            }
            Message::Text(text) if text == "id" => self.socket.send(self.socket.id().to_string()),
            Message::Text(text) if text == "ripple" => self.socket.broadcast(MisbehaveEvents::ripple()),
            Message::Text(text) if text == "strike" => self.socket.broadcast(MisbehaveEvents::strike()),
            Message::Text(text) => match text.strip_prefix("poke ") {
                Some(target) => self.socket.unicast(&ConnectionId::from(target), MisbehaveEvents::strike()),
                None => self.socket.send(text),
            },
            binary => self.socket.send(binary),
        }
    }

    fn close(&mut self, _closing: Closing) {
        self.plan.reached("close", Some(&self.socket));
    }

    fn shutdown(&mut self) -> Result {
        self.plan.reached("shutdown", Some(&self.socket));
        Ok(())
    }

    fn undelivered(&mut self, _target: ConnectionId, _event: Event) -> Result {
        self.plan.reached("undelivered", Some(&self.socket));
        Ok(())
    }

    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        Plan::of(request.uri().path().rsplit('/').next()).reached("http", None);
        http::Response::new(b"behaved".to_vec())
    }

    #[event]
    fn strike(&mut self) -> Result {
        self.plan.reached("event", Some(&self.socket));
        Ok(())
    }

    /// Calls itself on every sibling, which do the same: the number of events doubles until something gives.
    #[event]
    fn ripple(&mut self) {
        let _ = self.socket.broadcast(MisbehaveEvents::ripple());
    }

    /// What a flood of events consists of; nobody needs to hear it.
    #[event]
    fn drop_in_the_flood(&mut self) {}
}

impl Drop for Misbehave {
    fn drop(&mut self) {
        self.plan.reached("drop", None);
    }
}
