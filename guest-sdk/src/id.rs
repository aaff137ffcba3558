//! The address of a connection.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The address of one connection, valid on every server of the application.
///
/// It is a value like another: keep it, send it as an argument of an event, put it into JSON. It cannot be guessed;
/// whoever has been told it can be answered by [`Socket::unicast`](crate::Socket::unicast). Any text makes a
/// `ConnectionId`; the host refuses what is not one where it is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ConnectionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for ConnectionId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for ConnectionId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
