//! What travels: WebSocket messages and events. Cloning a message or an event copies no payload.

use std::sync::Arc;

use bytes::Bytes;
pub(crate) use tokio_tungstenite::tungstenite::Utf8Bytes;

/// One whole WebSocket message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Message {
    /// The length of the payload in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
        }
    }
}

/// A name and a JSON array of arguments, as the guest wrote them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) args: String,
}

impl Event {
    /// The longest name, in bytes.
    pub(crate) const NAME_LIMIT: usize = 256;

    /// What it counts for in a mailbox: its text, and the queue entry that points to it.
    pub(crate) fn cost(&self) -> usize {
        self.name.len() + self.args.len() + 64
    }
}

/// An event on its way; many mailboxes share one.
pub(crate) type SharedEvent = Arc<Event>;
