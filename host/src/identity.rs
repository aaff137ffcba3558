//! The words of identities: who is meant, which notification, and what it says.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::message::SharedEvent;
use crate::text::printable;

/// A valid identity: 1 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity(Arc<str>);

impl Identity {
    const LIMIT: usize = 256;

    /// Checks a guest's text.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        match text.len() {
            1..=Identity::LIMIT => Ok(Identity(text.into())),
            length => Err(format!("an identity has 1 to {} bytes, not {length}", Identity::LIMIT)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A notification of an identity. It is greater than those before it, and no other of the identity ever had it, not even
/// before the identity lapsed and came again: it is about the time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NotificationId(u64);

impl NotificationId {
    pub(crate) fn from_number(number: u64) -> Self {
        NotificationId(number)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// For the log: on one line, whatever is in it.
impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&printable(&self.0), formatter)
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// An event for an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) id: NotificationId,
    pub(crate) event: SharedEvent,
}

/// A text that is not the id of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a notification: a whole number is wanted")]
pub(crate) struct NotANotificationId;

impl FromStr for NotificationId {
    type Err = NotANotificationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // One id has one spelling: no sign, no zeros before it.
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
        let number = if plain { text.parse().ok() } else { None };
        number.map(NotificationId).ok_or(NotANotificationId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_have_a_length() {
        assert!(Identity::new("").is_err());
        assert!(Identity::new(&"x".repeat(256)).is_ok());
        assert!(Identity::new(&"x".repeat(257)).is_err());
    }

    #[test]
    fn an_id_has_one_spelling() {
        for number in [0, 7, 1_764_100_000_000_000, u64::MAX] {
            assert_eq!(number.to_string().parse(), Ok(NotificationId(number)));
            assert_eq!(NotificationId(number).to_string(), number.to_string());
        }
        for text in ["", "-1", "+1", "01", "1 ", "18446744073709551616", "x"] {
            assert_eq!(text.parse::<NotificationId>(), Err(NotANotificationId), "{text}");
        }
    }
}
