//! Doors for fuzzers, and for nobody else: what reads bytes from outside, one function each, without the server around it.
//! `tests/fuzz` says what must hold of each. Not part of the library's interface.

use crate::bus::wire;
use crate::config::{Config, ConfigError, Sources};
use crate::controller::check_defaults;
use crate::router::{NoRoute, Router};
use crate::session::stopped;

/// Mounts a path pattern and routes a path: the parameters, or none if the path leads nowhere.
///
/// # Errors
///
/// Why the pattern can not be mounted.
pub fn route(pattern: &str, path: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let mut router = Router::new();
    router.mount(pattern, ()).map_err(|error| error.to_string())?;
    match router.route(path) {
        Ok(route) => Ok(Some(route.params)),
        Err(NoRoute::NotFound | NoRoute::Malformed) => Ok(None),
    }
}

/// Reads the text of a configuration file, and nothing else.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn config(text: &str) -> Result<Config, ConfigError> {
    Sources::default().config_of("lakou.toml", text)
}

/// Reads the defaults that a component carries.
///
/// # Errors
///
/// Why it has none that can be used.
pub fn defaults(component: &[u8]) -> Result<(), String> {
    check_defaults(component)
}

/// Follows the bytes of frames, of a client or of a server behind the head of its answer: what stops the connection, and behind how
/// many bytes.
pub fn frames(of_client: bool, pieces: &[&[u8]]) -> Option<(usize, String)> {
    stopped(of_client, pieces)
}

/// Reads an entry of a stream in Redis, names and values in turn, and writes what it says as this server would.
///
/// # Errors
///
/// Why it is skipped.
pub fn entry(fields: &[&[u8]], largest: usize) -> Result<Vec<Vec<u8>>, String> {
    wire::entry(fields, largest)
}

/// Reads what came over a channel of a topic, and writes it as this server would.
///
/// # Errors
///
/// Why it is skipped.
pub fn publication(payload: &[u8], largest: usize) -> Result<Vec<u8>, String> {
    wire::publication(payload, largest)
}
