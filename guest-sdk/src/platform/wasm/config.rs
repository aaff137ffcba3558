//! The controller's configuration in the real host.

use crate::bindings::wasi::config::store as wit;

pub(crate) fn get(key: &str) -> Option<String> {
    // The host has it in memory, and gives no error.
    wit::get(key).ok().flatten()
}

pub(crate) fn all() -> Vec<(String, String)> {
    wit::get_all().unwrap_or_default()
}
