//! How a connection ends.

/// A close code (RFC 6455, section 7.4) and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// 1005: a close frame without a code; 1006: no close frame at all.
    pub code: u16,
    /// At most 123 bytes.
    pub reason: String,
}

impl Closing {
    /// A closing with this code and reason.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}
