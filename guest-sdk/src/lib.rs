//! Write controllers for the Lakou host: WebSocket and HTTP applications that run as sandboxed WebAssembly components.
//!
//! A controller is a Rust type. A value of it is one connection, its fields are the connection's state, and its methods
//! are called when the client sends something, when the connection ends, and when other connections send it *events*.
//!
//! # A first controller
//!
//! ```
//! use lakou_sdk::{Controller, Message, Request, Result, Socket, controller, json};
//!
//! pub struct Greeter {
//!     socket: Socket,
//!     name: String,
//! }
//!
//! #[controller(path = "/greet/{name}")]
//! impl Controller for Greeter {
//!     // The WebSocket is open: make the object.
//!     fn open(socket: Socket, request: Request) -> Self {
//!         let name = request.param("name").unwrap_or("stranger").to_owned();
//!         Self { socket, name }
//!     }
//!
//!     // The client has sent a message: tell everybody else, then answer.
//!     fn message(&mut self, message: Message) -> Result {
//!         self.socket.broadcast(GreeterEvents::greeted(&self.name))?;
//!         self.socket.send(message)
//!     }
//!
//!     // Another connection has sent the event `greeted`, on this or another server.
//!     #[event]
//!     fn greeted(&mut self, by: &str) -> Result {
//!         self.socket.send(format!("{by} greets you"))
//!     }
//!
//!     // The client may call this by sending {"event":"rename","name":"bob"}.
//!     #[client]
//!     fn rename(&mut self, name: String) -> Result {
//!         self.name = name;
//!         self.socket.send(json!({ "event": "renamed", "name": self.name }))
//!     }
//! }
//!
//! # use lakou_sdk::testing::Host;
//! let host = Host::new();
//! let [ann, ben] = ["/greet/ann", "/greet/ben"].map(|path| host.connect::<Greeter>(path).expect("open to all"));
//! ann.send("hello");
//! assert_eq!(ann.texts(), ["hello"]);
//! assert_eq!(ben.texts(), ["ann greets you"]);
//! ben.call("rename", json!({ "name": "bob" }));
//! assert_eq!(ben.json(), [json!({ "event": "renamed", "name": "bob" })]);
//! ```
//!
//! The crate is a `cdylib` whose only dependency is `lakou-sdk`, with one controller in it:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! `cargo build --release --target wasm32-wasip2` makes the component; copy the `.wasm` file into the host's folder of
//! controllers, and that is the deployment.
//!
//! # What is called when
//!
//! All but [`open`](Controller::open) have defaults; the trait [`Controller`] describes them:
//! `connect` (may refuse the request) → `open` → `message`, events, `undelivered`, `replaced`, `shutdown`, in any order and
//! number → `close`. In between, `suspend` and `resume` replace the object of a controller that has them. With [`http`](Controller::http) a controller answers plain HTTP on its path, too.
//!
//! Methods that are called by name are written into the same block and marked, see
//! [`controller`](macro@controller). The mark is the security boundary: clients can call `#[client]` methods and
//! nothing else. A class without such methods never looks into what its clients send: all of it goes to
//! [`message`](Controller::message).
//!
//! # How to reach others
//!
//! | call | who gets it |
//! | --- | --- |
//! | [`Socket::send`] | this client |
//! | [`Socket::broadcast`] | the other connections of this controller: an event |
//! | [`Socket::multicast`] | the other connections of every controller: an event |
//! | [`Socket::unicast`] | the connection with this [id](ConnectionId): an event; [`undelivered`](Controller::undelivered) if it has ended |
//! | [`messaging::notify`] | the connections [registered](Socket::register_as) as an identity, or the next one to be: an event that waits |
//! | [`messaging::publish`] | the clients [subscribed](Socket::subscribe) to a topic: a message, without a call of a controller |
//!
//! Events reach connections on every server. Where there is no socket, as in `http`, the module [`messaging`] has the same
//! calls.
//!
//! # Identities
//!
//! Connections come and go; an *identity* stays, as `user:42`. A connection [registers](Socket::register_as) as one, and
//! from then on what is [notified](messaging::notify) to it calls the method that has the event's name. While nobody is
//! registered, notifications wait in the identity's mailbox, for 7 days by default, and the next connection gets them first,
//! in order. A stored notification survives the end of any server. It is handled when the method has returned; if the
//! sandbox fails before that, it comes again, under the same [id](notification()), at most 5 times.
//!
//! # State and failure
//!
//! Many connections of a controller share one sandbox, so a `static` is shared by some of them and not by others: keep
//! state in fields. A handler that returns an `Err` is reported in the log. One that panics, or takes too much time or
//! memory, ends its connection (1011) and restarts those that share its sandbox (1012).
//!
//! A controller that can be *resumed* survives the failure of others: it [saves](Socket::save) what it needs after a change,
//! and its object is made anew by [`Controller::resume`] while the client stays connected. With
//! [`Controller::suspend`], long idle connections give their memory back in the same way.
//!
//! # Timers
//!
//! [`Socket::after`] and [`Socket::every`] call a method of this connection later, by an event. The [`Timer`] that they give
//! is kept for as long as the event is wanted.
//!
//! # Services and connections outwards
//!
//! `#[controller(service)]` makes one object on each server when that starts, without a client: it gets events and has timers,
//! and is made anew after a failure. With [`Socket::connect`] a controller opens WebSockets to other servers, whose objects are
//! of the controller, too. [`Request::peer`] tells the kinds apart in [`open`](Controller::open).
//!
//! # What the operator grants
//!
//! | module | what it has | in `[controller.NAME]` of `lakou.toml` |
//! | --- | --- | --- |
//! | [`keyvalue`] | values that outlive connections and the host | `keyvalue = true` |
//! | [`outgoing`] | HTTP requests to other servers | `http = ["https://api.example.org"]` |
//! | [`Socket::connect`] | WebSockets to other servers | `websocket = ["wss://feed.example.org"]` |
//! | `std::fs` | reading in folders, each below its name | `files = ["words=/srv/words"]` |
//! | `std::env` | variables | `environment = ["TZ", "MODE=fast"]` |
//! | [`config`] | settings and secrets of this controller | a table `[controller.NAME.config]` |
//! | [`log`] | lines in the host's log | |
//! | [`messaging`] | topics and identities that begin with the controller's name and `:` or `/` | |
//! | | other topics, identities and controllers | `messaging = ["identity:user:*"]` |
//!
//! A component that uses `keyvalue` or `connect` without the grant is not loaded, and the host says what to write; a
//! folder or a variable that is not granted is simply not there; other calls that are not granted are [`Fault::Denied`], and the
//! fault says it.
//!
//! # Tests
//!
//! Everything compiles natively, where [`testing`] is a host of its own: connect clients, let them speak, look at what
//! the others receive.

mod controller;

mod closing;
pub mod config;
mod connect;
mod event;
mod fault;
mod id;
mod identity;
pub mod keyvalue;
pub mod log;
mod message;
pub mod messaging;
mod notification;
pub mod outgoing;
mod request;
mod saved;
mod socket;
mod timer;

mod arguments;
mod class;
mod dispatch;

mod platform;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_family = "wasm")]
mod component;
#[cfg(target_family = "wasm")]
mod incoming_http;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

#[doc(hidden)]
pub mod expansion;

pub use class::Class;
pub use closing::Closing;
pub use connect::ConnectOptions;
pub use controller::Controller;
pub use event::{Arguments, Event};
pub use fault::{Fault, Result};
pub use http;
pub use id::ConnectionId;
pub use identity::IdentityOptions;
pub use lakou_sdk_macro::controller;
pub use message::{Message, Outgoing};
pub use notification::{Notification, NotificationId, notification};
pub use request::{Acceptance, Peer, Refusal, Request};
pub use saved::Saved;
pub use serde_json::{Value, json};
pub use socket::Socket;
pub use timer::Timer;

// The expansion of the attribute names this crate; so its own tests can use it, too.
#[cfg(test)]
extern crate self as lakou_sdk;
