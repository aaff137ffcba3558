//! Saved state: what a connection's object is made anew from, by [`Controller::resume`](crate::Controller::resume).

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::Result;

/// The state of one connection as the host keeps it: bytes that only the controller understands, at most 64 KiB.
///
/// ```
/// # use lakou_sdk::Saved;
/// let saved = Saved::json(&("ann", 3))?;
/// assert_eq!(saved.parse::<(String, u32)>()?, ("ann".to_owned(), 3));
/// # Ok::<(), lakou_sdk::Fault>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Saved(Vec<u8>);

impl Saved {
    /// State that holds `value` as JSON.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid) if JSON cannot hold the value, as a map whose keys are not strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Ok(Self(serde_json::to_vec(value)?))
    }

    /// Reads the state as JSON.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid) if it is no JSON or not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_slice(&self.0)?)
    }

    /// The state as bytes, for those who write it in another way than JSON.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most of it is JSON; nobody reads that as numbers.
        f.debug_tuple("Saved").field(&String::from_utf8_lossy(&self.0)).finish()
    }
}

impl From<Vec<u8>> for Saved {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Saved {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Saved> for Vec<u8> {
    fn from(saved: Saved) -> Self {
        saved.0
    }
}
