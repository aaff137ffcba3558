//! The text of a configuration file.

use lakou_host::fuzzing;

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match fuzzing::config(text) {
        Ok(config) => assert!(config.idle_timeout > config.ping_interval, "settings fit together"),
        Err(error) => super::one_line(&error.to_string()),
    }
}
