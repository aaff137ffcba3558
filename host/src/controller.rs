//! Controllers: components loaded from a folder, and the instances of them that hold connections.
//!
//! `load` turns files into classes; `placement` finds each connection a place in an instance; `instance` is the task that
//! makes all guest calls for its connections, one at a time; `plain` answers HTTP requests that ask for no connection.
//! wasmtime is known here and nowhere else.

mod bindings;
mod body;
mod breaker;
mod cache;
mod call;
mod class;
mod compiler;
mod contract;
mod dial;
mod engine;
mod engine_errors;
mod environment;
mod folder;
mod grants;
mod imports;
mod instance;
mod limits;
mod load;
mod manifest;
mod meter;
mod outline;
mod output;
mod placement;
mod plain;
mod state;

pub(crate) use class::Class;
pub(crate) use compiler::serve as compile;
pub(crate) use dial::{Dial, NotConnected};
pub(crate) use environment::Environment;
pub(crate) use folder::load_folder;
pub use load::{LoadError, Mount};
pub(crate) use manifest::check_defaults;
pub(crate) use placement::Seat;
pub(crate) use plain::NoAnswer;
