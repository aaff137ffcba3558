//! How connections end: each for a [`CloseCause`], from which the code and the text for the other end (RFC 6455, section 7.4), what
//! is counted and what is logged follow in the one table here. Code and text may be anybody's word, so that nothing is ever
//! concluded from them.

use crate::clients::Limit;
use crate::metrics::{Metric, Metrics};

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCause {
    /// Its own object has closed it.
    Object,
    /// The other end has sent a close frame.
    Peer,
    /// It was lost without a close frame.
    Lost,
    /// Nothing was heard from the other end for `idle-timeout`.
    Idle,
    /// The server is being stopped: reconnect, to another one.
    Stopping,
    /// The controller's code trapped or went over a limit while it worked for this connection.
    Failed,
    /// The instance was discarded because of another connection, and this one's object with it.
    InstanceLost,
    /// There is no room for the instance that the connection needs.
    NoRoom,
    /// The outbox went over its limit.
    SlowClient,
    /// The controller does not want the connection that it has opened any more.
    Unwanted,
    /// The connection that has asked for this one has ended.
    OwnerGone,
    /// The other end has sent a message or a frame over its limit.
    TooLarge,
    /// The other end has sent a text that is no UTF-8.
    NoText,
    /// A message of the other end has begun and does not get on.
    SlowMessage,
    /// The other end has sent something else that RFC 6455 forbids.
    Protocol,
}

/// What follows from a cause.
struct Row {
    code: u16,
    /// What the other end is told, unless those who close know more.
    reason: &'static str,
    /// The limit that a client has met.
    limit: Option<Limit>,
    /// What is counted when the connection has ended.
    counter: Option<fn(&Metrics) -> &Metric>,
    /// Its end is in everybody's log, and not only in that of those who look for it.
    news: bool,
}

/// A row of which nothing is counted, and that is no news.
const fn row(code: u16, reason: &'static str) -> Row {
    Row { code, reason, limit: None, counter: None, news: false }
}

impl CloseCause {
    /// The table.
    fn row(self) -> Row {
        match self {
            CloseCause::Object => row(1000, ""),
            CloseCause::Peer => row(1005, ""),
            CloseCause::Lost => row(1006, ""),
            CloseCause::Idle => {
                Row { counter: Some(|metrics| &metrics.idle_closed), ..row(1006, "nothing heard for idle-timeout") }
            }
            CloseCause::Stopping => row(1001, "the server is stopping"),
            CloseCause::Failed => row(1011, "the controller failed"),
            CloseCause::InstanceLost => row(1012, "the controller was restarted"),
            CloseCause::NoRoom => row(1013, "the server is full"),
            CloseCause::SlowClient => Row {
                counter: Some(|metrics| &metrics.slow_clients),
                news: true,
                ..row(3008, "too slow: the outbox is full")
            },
            CloseCause::Unwanted => row(1000, ""),
            CloseCause::OwnerGone => row(1001, ""),
            CloseCause::TooLarge => Row { limit: Some(Limit::Message), ..row(1009, "too large") },
            CloseCause::NoText => Row { limit: Some(Limit::WebSocket), ..row(1007, "a text that is no UTF-8") },
            CloseCause::SlowMessage => row(1008, "a message is too slow"),
            CloseCause::Protocol => Row { limit: Some(Limit::WebSocket), ..row(1002, "against RFC 6455") },
        }
    }

    /// The limit that a client has met, if it was one.
    pub(crate) fn limit(self) -> Option<Limit> {
        self.row().limit
    }

    /// A connection has ended for this cause.
    pub(crate) fn count(self, metrics: &Metrics) {
        if let Some(counter) = self.row().counter {
            counter(metrics).count();
        }
    }

    /// Whether its end is in everybody's log.
    pub(crate) fn is_news(self) -> bool {
        self.row().news
    }
}

/// A cause, and what is said of it. There is no comparing of two: whose word it is, the cause tells.
#[derive(Debug, Clone)]
pub(crate) struct Closing {
    cause: CloseCause,
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl Closing {
    /// The longest reason: a control frame carries 125 bytes, two of them are the code.
    pub(crate) const REASON_LIMIT: usize = 123;

    /// With the code and the text of the table.
    pub(crate) fn of(cause: CloseCause) -> Self {
        let Row { code, reason, .. } = cause.row();
        Closing { cause, code, reason: reason.to_owned() }
    }

    /// With the code of the table, and what is known beyond its text.
    pub(crate) fn with(cause: CloseCause, reason: &str) -> Self {
        Closing { reason: reason.to_owned(), ..Closing::of(cause) }
    }

    /// In the words of the object that closes its connection.
    pub(crate) fn by_object(code: u16, reason: String) -> Self {
        Closing { cause: CloseCause::Object, code, reason }
    }

    /// In the words of the other end; none: it has given no code.
    pub(crate) fn by_peer(words: Option<(u16, String)>) -> Self {
        let without = Closing::of(CloseCause::Peer);
        words.map_or(without, |(code, reason)| Closing { cause: CloseCause::Peer, code, reason })
    }

    pub(crate) fn cause(&self) -> CloseCause {
        self.cause
    }

    /// Whether a close frame may have this code: those of RFC 6455, section 7.4.1, that stand in frames, those that IANA has
    /// registered since, and those of libraries and applications.
    pub(crate) fn may_be_sent(code: u16) -> bool {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether this side may send it.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !Closing::may_be_sent(self.code) {
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
    use super::{CloseCause, Closing};
    use crate::clients::Limit;
    use crate::metrics::Metrics;

    #[test]
    fn codes_that_may_be_sent() {
        let closing = |code| Closing::by_object(code, String::new());
        for code in [1000, 1001, 1003, 1007, 1012, 1013, 1014, 3000, 3008, 4999] {
            assert!(closing(code).check().is_ok(), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert!(closing(code).check().is_err(), "{code}");
        }
        assert!(Closing::by_object(1000, "x".repeat(123)).check().is_ok());
        assert!(Closing::by_object(1000, "x".repeat(124)).check().is_err());
    }

    #[test]
    fn words_are_no_cause() {
        let Closing { code, reason, .. } = Closing::of(CloseCause::SlowClient);
        let metrics = Metrics::default();
        for anybodys in [Closing::by_object(code, reason.clone()), Closing::by_peer(Some((code, reason)))] {
            anybodys.cause().count(&metrics);
            assert!(!anybodys.cause().is_news());
        }
        assert_eq!(metrics.slow_clients.get(), 0);
        CloseCause::SlowClient.count(&metrics);
        assert_eq!(metrics.slow_clients.get(), 1);

        let violation = Closing::by_peer(Some((1002, "against RFC 6455".into())));
        assert_eq!((violation.cause().limit(), CloseCause::Protocol.limit()), (None, Some(Limit::WebSocket)));
    }
}
