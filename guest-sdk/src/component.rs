//! The exports of the contract, for any controller class: the way in from the real host. WebAssembly only.

use std::marker::PhantomData;

use crate::bindings::exports::lakou::controller::controller as exports;
use crate::class::{Class, Object, report};
use crate::closing::Closing;
use crate::dispatch;
use crate::event::Event;
use crate::message::Message;
use crate::notification::Notification;
use crate::platform;
use crate::request::Request;
use crate::socket::Socket;

/// The component whose controller is `C`.
#[derive(Debug)]
pub struct Component<C>(PhantomData<C>);

/// A connection's object as a resource.
#[derive(Debug)]
pub struct Connection<C>(Object<C>);

impl<C: Class> exports::Guest for Component<C> {
    type Connection = Connection<C>;

    fn connect(request: exports::Request) -> Result<exports::Acceptance, exports::Refusal> {
        match C::connect(&request.into()) {
            Ok(acceptance) => {
                Ok(exports::Acceptance { subprotocol: acceptance.subprotocol, headers: acceptance.headers })
            }
            Err(refusal) => {
                Err(exports::Refusal { status: refusal.status, headers: refusal.headers, body: refusal.body })
            }
        }
    }

    fn receive(batch: Vec<(exports::ConnectionBorrow<'_>, exports::MessageResult)>) {
        dispatch::receive(
            batch.into_iter().map(|(connection, message)| (&connection.get::<Connection<C>>().0, message.into())),
        );
    }

    fn deliver(to: Vec<exports::ConnectionBorrow<'_>>, event: exports::EventResult) {
        let objects: Vec<&Object<C>> = to.iter().map(|connection| &connection.get::<Connection<C>>().0).collect();
        dispatch::deliver(&objects, &event.into());
    }
}

impl<C: Class> exports::GuestConnection for Connection<C> {
    fn new(socket: exports::Socket, request: exports::Request) -> Self {
        Self(Object::new(C::open(Socket::new(platform::Socket::new(socket)), request.into())))
    }

    fn on_undelivered(&self, target: String, event: exports::EventResult) {
        report("undelivered", self.0.borrow_mut().undelivered(target.into(), event.into()));
    }

    fn on_notification(&self, identity: String, id: String, event: exports::EventResult) {
        dispatch::notify(&self.0, Notification::new(identity, id.into()), &event.into());
    }

    fn on_replaced(&self, identity: String) {
        report("replaced", self.0.borrow_mut().replaced(&identity));
    }

    fn on_shutdown(&self) {
        report("shutdown", self.0.borrow_mut().shutdown());
    }

    fn on_close(&self, closing: exports::ClosingResult) {
        self.0.borrow_mut().close(Closing { code: closing.code, reason: closing.reason });
    }
}

impl From<exports::Request> for Request {
    fn from(request: exports::Request) -> Self {
        let exports::Request { method, path, query, params, headers, remote, subprotocols } = request;
        Self { method, path, query, params, headers, remote, subprotocols }
    }
}

impl From<exports::MessageResult> for Message {
    fn from(message: exports::MessageResult) -> Self {
        match message {
            exports::MessageResult::Text(text) => Self::Text(text),
            exports::MessageResult::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<exports::EventResult> for Event {
    fn from(event: exports::EventResult) -> Self {
        Self::from_json(event.name, event.args)
    }
}
