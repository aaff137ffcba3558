//! The exports of the contract, for any controller class: the way in from the real host. WebAssembly only.

use std::marker::PhantomData;
use std::rc::Rc;

use crate::bindings::exports::lakou::controller::controller as exports;
use crate::bindings::lakou::controller::types::Peer;
use crate::class::{Class, Object, report};
use crate::closing::Closing;
use crate::dispatch;
use crate::event::Event;
use crate::message::Message;
use crate::notification::Notification;
use crate::platform::{self, DetachedTimers};
use crate::request::Request;
use crate::socket::Socket;

/// The component whose controller is `C`.
#[derive(Debug)]
pub struct Component<C>(PhantomData<C>);

/// A connection's object as a resource.
#[derive(Debug)]
pub struct Connection<C> {
    object: Object<C>,
    /// Dropped, and with that ended, when the object is.
    _detached: Rc<DetachedTimers>,
}

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
            batch.into_iter().map(|(connection, message)| (&connection.get::<Connection<C>>().object, message.into())),
        );
    }

    fn deliver(to: Vec<exports::ConnectionBorrow<'_>>, event: exports::EventResult) {
        let objects: Vec<&Object<C>> = to.iter().map(|connection| &connection.get::<Connection<C>>().object).collect();
        dispatch::deliver(&objects, &event.into());
    }
}

impl<C: Class> exports::GuestConnection for Connection<C> {
    fn new(socket: exports::Socket, request: exports::Request) -> Self {
        let (socket, detached) = platform::Socket::new(socket);
        Self { object: Object::new(C::open(Socket::new(socket), request.into())), _detached: detached }
    }

    fn resume(
        socket: exports::Socket,
        request: exports::Request,
        state: Vec<u8>,
    ) -> Result<exports::Connection, String> {
        let (socket, detached) = platform::Socket::new(socket);
        let object = C::resume(Socket::new(socket), request.into(), state.into()).map_err(|fault| fault.to_string())?;
        Ok(exports::Connection::new(Self { object: Object::new(object), _detached: detached }))
    }

    fn suspend(&self) -> Option<Vec<u8>> {
        self.object.borrow_mut().suspend().map(Vec::from)
    }

    fn on_undelivered(&self, target: String, event: exports::EventResult) {
        report("undelivered", self.object.borrow_mut().undelivered(target.into(), event.into()));
    }

    fn on_notification(&self, identity: String, id: String, event: exports::EventResult) {
        dispatch::notify(&self.object, Notification::new(identity, id.into()), &event.into());
    }

    fn on_replaced(&self, identity: String) {
        report("replaced", self.object.borrow_mut().replaced(&identity));
    }

    fn on_shutdown(&self) {
        report("shutdown", self.object.borrow_mut().shutdown());
    }

    fn on_close(&self, closing: exports::ClosingResult) {
        self.object.borrow_mut().close(Closing { code: closing.code, reason: closing.reason });
    }
}

impl From<exports::Request> for Request {
    fn from(request: exports::Request) -> Self {
        let exports::Request { peer, method, path, query, params, headers, remote, subprotocols } = request;
        let peer = match peer {
            Peer::Client => crate::request::Peer::Client,
            Peer::Server => crate::request::Peer::Server,
            Peer::Nobody => crate::request::Peer::Nobody,
        };
        Self { peer, method, path, query, params, headers, remote, subprotocols }
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
