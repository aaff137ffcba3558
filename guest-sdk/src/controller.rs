//! The trait that a controller is: the life of one connection, with defaults for what an application does not care about.

use http::StatusCode;

use crate::closing::Closing;
use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::message::Message;
use crate::request::{Acceptance, Refusal, Request};
use crate::socket::Socket;

/// A controller class: its values are connections, its fields are a connection's state.
///
/// Implement it under the [`controller`](macro@crate::controller) attribute, which makes the crate a component and adds
/// the methods marked `#[event]` and `#[client]`.
///
/// Calls on one connection come one at a time and in order. A panic costs more than an `Err`: it ends this connection
/// (close code 1011) and restarts those that share its sandbox (1012).
pub trait Controller: Sized + 'static {
    /// Asked before the WebSocket is opened; a refusal is the HTTP answer to the client. Accepts everybody if left out.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        let _ = request;
        Ok(Acceptance::default())
    }

    /// The WebSocket is open: make the object. `request` is what `connect` was shown. What is sent here arrives first.
    fn open(socket: Socket, request: Request) -> Self;

    /// The client has sent a message (other than a call of a `#[client]` method).
    ///
    /// # Errors
    ///
    /// Goes to the log; so do the errors of the other handlers.
    fn message(&mut self, message: Message) -> Result {
        let _ = message;
        Ok(())
    }

    /// The connection has ended and nothing can be sent to it any more; other connections can be told.
    fn close(&mut self, closing: Closing) {
        let _ = closing;
    }

    /// The server stops and will close the connection with 1001; there is time to say good-bye.
    ///
    /// # Errors
    ///
    /// Goes to the log.
    fn shutdown(&mut self) -> Result {
        Ok(())
    }

    /// An `event` that this connection sent by [`Socket::unicast`] was not delivered: `target` or its server has ended.
    ///
    /// # Errors
    ///
    /// Goes to the log.
    fn undelivered(&mut self, target: ConnectionId, event: Event) -> Result {
        let _ = (target, event);
        Ok(())
    }

    /// A newer connection has registered as `identity` (see [`Socket::register_as`]), and this one, beyond the number that
    /// may be, is not registered as it any more. It is open as before; to close it is a choice.
    ///
    /// # Errors
    ///
    /// Goes to the log.
    fn replaced(&mut self, identity: &str) -> Result {
        let _ = identity;
        Ok(())
    }

    /// Answers a plain HTTP request on the controller's path. The component answers HTTP only where this is written;
    /// where it is not, the host answers 426.
    ///
    /// The body is whole when this is called and goes out when it has returned: at most 8 MiB come in (413 beyond).
    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let _ = request;
        let mut response = http::Response::new(b"This path takes WebSocket connections only.\n".to_vec());
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        response
    }
}
