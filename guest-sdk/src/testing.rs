//! A fake host, for native unit tests of controllers. Not there when compiled to WebAssembly.
//!
//! Connect clients to controller classes; what a client sends runs the handlers at once, and so do the events that
//! those send, until all is quiet. No network, no sandbox, no threads: a test fails where the controller is wrong.
//!
//! ```
//! use lakou_sdk::testing::Host;
//! use lakou_sdk::{Controller, Message, Request, Result, Socket, controller, json};
//!
//! struct Counter {
//!     socket: Socket,
//!     seen: u32,
//! }
//!
//! #[controller]
//! impl Controller for Counter {
//!     fn open(socket: Socket, _request: Request) -> Self {
//!         Self { socket, seen: 0 }
//!     }
//!
//!     fn message(&mut self, message: Message) -> Result {
//!         self.socket.broadcast(CounterEvents::heard(message.as_text().unwrap_or("bytes")))
//!     }
//!
//!     #[event]
//!     fn heard(&mut self, what: &str) -> Result {
//!         self.seen += 1;
//!         self.socket.send(json!({ "heard": what, "number": self.seen }))
//!     }
//! }
//!
//! let host = Host::new();
//! let alice = host.connect::<Counter>("/counter").expect("nobody is refused");
//! let bob = host.connect::<Counter>("/counter").expect("nobody is refused");
//!
//! alice.send("hello");
//! assert_eq!(bob.json(), [json!({ "heard": "hello", "number": 1 })]);
//! assert_eq!(alice.json(), [] as [lakou_sdk::Value; 0]);
//!
//! // As another server would send it; wrong arguments are counted, and nobody panics.
//! host.broadcast("counter", lakou_sdk::Event::new("heard", (42,)));
//! assert_eq!(host.misfits().len(), 1);
//! assert!(host.misfits()[0].reason.contains("argument `what`"));
//! ```
//!
//! Identities have their mailboxes: [`Host::notify`] is another server, and [`Host::lose_store`], [`Host::lapse`] and
//! [`Host::repeat_notification`] are what goes wrong, when a test says so.
//!
//! Timers run by a clock that the test moves: [`Host::advance`]. Saved state is seen by [`Client::saved`] and put to use by
//! [`Host::restart_instance`] and [`Host::hibernate`]; there, objects are made anew at once, and not when there is something
//! to do.
//!
//! Keys and values are in one bucket for all controllers ([`Host::value`], [`Host::set_value`]), and lapse by the same clock;
//! [`Host::configure`] is the operator's configuration, and [`Host::answer_outgoing`] the rest of the world. Whom a controller
//! may address is for an operator to grant; here it is everybody whom a test does not [deny](Host::deny). Emitting itself fails
//! when a test says so: [`Host::refuse_events`].
//!
//! [`Host::start`] starts a service, and [`Host::serve`] is a server elsewhere that controllers may connect to.
//!
//! What a call is given is checked as the real host checks it, with the limits that an operator has not changed. What it leaves
//! out: limits of speed and memory and what waits for a slow client, other servers, the passing of time by itself, and the order
//! between different senders.

mod client;
mod host;

pub(crate) mod door;
mod grants;
mod mailboxes;
mod path;
mod rules;
mod seats;
mod server;
mod services;
mod timers;
mod yard;

pub use client::Client;
pub use host::Host;
pub use server::Server;
pub use services::Answer;
pub use yard::Misfit;

pub use crate::platform::Origin;

#[cfg(test)]
mod tests;
