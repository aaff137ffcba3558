//! The trait that a controller is: the life of one connection, with defaults for what an application does not care about.

use http::StatusCode;

use crate::closing::Closing;
use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::message::Message;
use crate::request::{Acceptance, Refusal, Request};
use crate::saved::Saved;
use crate::socket::Socket;

/// A controller class: its values are connections, its fields are a connection's state.
///
/// Implement it under the [`controller`](macro@crate::controller) attribute, which makes the crate a component and adds
/// the methods marked `#[event]` and `#[client]`.
///
/// Calls on one connection come one at a time and in order. A panic costs more than an `Err`: it ends this connection
/// (close code 1011) and restarts those that share its sandbox (1012, or [`resume`](Self::resume)).
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
    ///
    /// Also called, without `connect`, for the object of a service and for connections that the controller has
    /// [opened itself](Socket::connect), if it has any: [`Request::peer`] tells.
    fn open(socket: Socket, request: Request) -> Self;

    /// The object of a living connection, made anew from what [`Socket::save`] or [`suspend`](Self::suspend) last gave:
    /// another connection has failed and taken the sandbox along, or all of the sandbox has slept. The client has noticed
    /// nothing; `request` is what `open` was shown. Identities and topics are as they were, timers are not: set them again.
    /// Called before anything else is.
    ///
    /// Only where this is written can a controller save state. A new version of it may meet the state of an older one.
    ///
    /// ```
    /// use lakou_sdk::{Controller, Request, Result, Saved, Socket, controller};
    /// use serde::{Deserialize, Serialize};
    ///
    /// struct Counter {
    ///     socket: Socket,
    ///     state: State,
    /// }
    ///
    /// /// What has to survive is in a type of its own.
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct State {
    ///     clicks: u32,
    /// }
    ///
    /// #[controller]
    /// impl Controller for Counter {
    ///     fn open(socket: Socket, _request: Request) -> Self {
    ///         Self { socket, state: State::default() }
    ///     }
    ///
    ///     fn resume(socket: Socket, _request: Request, state: Saved) -> Result<Self> {
    ///         Ok(Self { socket, state: state.parse()? })
    ///     }
    ///
    ///     fn suspend(&mut self) -> Option<Saved> {
    ///         Saved::json(&self.state).ok()
    ///     }
    ///
    ///     #[client]
    ///     fn click(&mut self) -> Result {
    ///         self.state.clicks += 1;
    ///         self.socket.save(Saved::json(&self.state)?)?;
    ///         self.socket.send(self.state.clicks.to_string())
    ///     }
    /// }
    ///
    /// # use lakou_sdk::{json, testing::Host};
    /// let host = Host::new();
    /// let ann = host.connect::<Counter>("/counter").expect("open to all");
    /// ann.call("click", json!({}));
    /// host.restart_instance::<Counter>();
    /// ann.call("click", json!({}));
    /// assert_eq!(ann.texts(), ["1", "2"]);
    /// ```
    ///
    /// # Errors
    ///
    /// Why the state is not understood. It goes to the log, and the connection is closed with 1012.
    fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self> {
        let _ = (socket, request, state);
        Err(Fault::Invalid(format!("nobody has written `{RESUME}`")))
    }

    /// Gives what [`resume`](Self::resume) needs; the object may be dropped afterwards, without [`close`](Self::close), to
    /// be made anew when there is something to do. Asked when all connections of the sandbox have been idle for a while,
    /// 10 minutes by default, and none of them has a timer. `None`: not now, and the sandbox stays as it is.
    fn suspend(&mut self) -> Option<Saved> {
        None
    }

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
    /// where it is not, the host answers 426, and 405 to other methods than GET and HEAD.
    ///
    /// The body is whole when this is called and goes out when it has returned: at most 8 MiB come in (413 beyond), which
    /// is also what the host takes by default (`max-body`).
    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let _ = request;
        let mut response = http::Response::new(b"This path takes WebSocket connections only.\n".to_vec());
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        response
    }
}

/// What to write so that saved state is of use.
const RESUME: &str = "fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self>";
