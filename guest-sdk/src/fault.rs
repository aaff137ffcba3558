//! Why a call did not do what it was asked, and the `Result` that handlers return.

use std::fmt;

/// What a handler returns: nothing, or the [`Fault`] that stopped it.
///
/// An `Err` from a handler is written to the log as one line and the connection goes on; [`Fault::Gone`] is not even
/// written, because a client may leave at any time.
pub type Result<T = (), E = Fault> = core::result::Result<T, E>;

/// Why something was not done. Nothing was done, unless a function says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection that was named has ended.
    Gone,
    /// What was handed over is larger than the limit for it.
    TooLarge,
    /// Out of reach or out of room right now; the same call may succeed later. The text says what and why.
    Unavailable(String),
    /// It can never succeed as it was asked. The text says what is wrong.
    Invalid(String),
    /// The operator has not granted it to this controller. The text names the grant.
    Denied(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the connection has ended"),
            Self::TooLarge => f.write_str("too large"),
            Self::Unavailable(reason) => write!(f, "unavailable: {reason}"),
            Self::Invalid(reason) => write!(f, "invalid: {reason}"),
            Self::Denied(reason) => write!(f, "denied: {reason}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Invalid(error.to_string())
    }
}
