//! What travels: WebSocket messages, events, and how a connection ends. Cloning a message or an event copies no payload.

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

/// A close code and its reason (RFC 6455, section 7.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl Closing {
    /// The longest reason: a control frame carries 125 bytes, two of them are the code.
    pub(crate) const REASON_LIMIT: usize = 123;

    pub(crate) fn new(code: u16, reason: &str) -> Self {
        Closing { code, reason: reason.to_owned() }
    }

    /// The server is being stopped: reconnect, to another one.
    pub(crate) fn going_away() -> Self {
        Closing::new(1001, "the server is stopping")
    }

    /// A close frame came without a code.
    pub(crate) fn no_status() -> Self {
        Closing::new(1005, "")
    }

    /// The connection was lost without a close frame; `reason` is for the log and the guest.
    pub(crate) fn abnormal(reason: &str) -> Self {
        Closing::new(1006, reason)
    }

    /// The controller's code trapped or went over a limit while it worked for this connection.
    pub(crate) fn controller_failed() -> Self {
        Closing::new(1011, "the controller failed")
    }

    /// The instance was discarded because of another connection, and this one's object with it.
    pub(crate) fn instance_lost() -> Self {
        Closing::new(1012, "the controller was restarted")
    }

    /// There is no room for the instance that the connection needs.
    pub(crate) fn over_capacity() -> Self {
        Closing::new(1013, "the server is full")
    }

    /// The outbox went over its limit.
    pub(crate) fn slow_client() -> Self {
        Closing::new(3008, "too slow: the outbox is full")
    }

    /// The controller does not want the connection that it has opened any more.
    pub(crate) fn unwanted() -> Self {
        Closing::new(1000, "")
    }

    /// The connection that has asked for this one has ended.
    pub(crate) fn owner_gone() -> Self {
        Closing::new(1001, "")
    }

    /// Whether this side may send it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let allowed = matches!(self.code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        if !allowed {
            return Err(format!("close code {} may not be sent: 1000-1003, 1007-1014 and 3000-4999 may", self.code));
        }
        if self.reason.len() > Closing::REASON_LIMIT {
            return Err(format!("close reason of {} bytes: at most {} fit", self.reason.len(), Closing::REASON_LIMIT));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Closing;

    #[test]
    fn codes_that_may_be_sent() {
        for code in [1000, 1001, 1003, 1007, 1014, 3000, 3008, 4999] {
            assert!(Closing::new(code, "").check().is_ok(), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert!(Closing::new(code, "").check().is_err(), "{code}");
        }
        assert!(Closing::new(1000, &"x".repeat(123)).check().is_ok());
        assert!(Closing::new(1000, &"x".repeat(124)).check().is_err());
    }
}
