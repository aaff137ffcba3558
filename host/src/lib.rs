//! Lakou: a WebSocket and HTTP host whose application code runs as sandboxed WebAssembly components.
//!
//! The life of a message, in the order of the modules:
//!
//! ```text
//! accept ─ HTTP ─ route ─┬─ plain request ─── the controller's wasi:http handler, or a static file
//!                        └─ upgrade ───────── connect() says yes ─ session, one task a socket
//! session: frames in ─► mailbox of an instance ─► guest call, one at a time ─► host functions
//! host functions: send ─► outbox ─► session ─► frames out
//!                 emit ─► bus ─► mailboxes of instances, and Redis ─► other servers' buses
//!                 publish ─► outboxes of subscribers, and Redis ─► other servers' buses
//! ```
//!
//! A module uses those below it in this list, and the leaves at its end; what goes back up goes through a queue.

#![warn(clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "what a test starts ends with it"))]

pub mod cli;
mod config;
#[doc(hidden)]
pub mod fuzzing;
mod telemetry;

mod server;

mod http;
mod outward;
mod router;
mod service;

mod session;

mod controller;

mod identities;

mod bus;

mod store;

mod link;

mod backoff;
mod bell;
mod bucket;
mod clients;
mod closing;
mod connection;
mod destination;
mod identity;
mod ids;
mod limit;
mod linger;
mod mailbox;
mod message;
mod metrics;
mod outbound;
mod patience;
mod phase;
mod rate;
mod request;
mod shutdown;
mod text;
mod tied;

pub use bus::{BusHealth, BusMonitor};
pub use config::{
    Addressee, Config, ConfigError, ControllerConfig, Folder, ForwardedHeader, Grants, GuestLimits, HostPattern,
    ListenAddress, Names, Sources, Value, Variable,
};
pub use controller::{LoadError, Mount};
pub use destination::Destination;
pub use ids::{ConnectionId, NotAConnectionId, NotAServerId, ServerId};
pub use metrics::{Metrics, Snapshot};
pub use server::{Server, StartError};
