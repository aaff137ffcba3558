//! Every limit that a client can meet, as a table: what it is called and where it is counted. Each has its own share of the
//! log, so that a flood against one does not hide another.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::metrics::{Metric, Metrics};
use crate::rate::{Admitted, RateLimit};

/// How many lines a second a limit may have in the log.
const LINES: u32 = 2;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $limit:ident $name:literal $counter:ident,)+) => {
        /// A limit that a client can meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Limit {
            $($(#[doc = $doc])+ $limit,)+
        }

        const LIMITS: usize = [$(Limit::$limit,)+].len();

        impl Limit {
            /// What is said in the log.
            fn line(self) -> &'static str {
                match self {
                    Limit::Http2 => "a client speaks HTTP/2, which is not served here: HTTP/1.1 is",
                    _ => "a client met a limit",
                }
            }

            /// The setting that moves it, or what it follows from.
            fn name(self) -> &'static str {
                match self {
                    $(Limit::$limit => $name,)+
                }
            }

            pub(super) fn counter(self, metrics: &Metrics) -> &Metric {
                match self {
                    $(Limit::$limit => &metrics.$counter,)+
                }
            }
        }
    };
}

limits! {
    /// No place for another connection: turned away with 503.
    Connections "max-connections" over_capacity,
    /// No place for another connection of this address: turned away with 503.
    AddressConnections "max-connections-per-address" over_address_capacity,
    /// No place among the plain requests of its address within `call-time`: answered with 503.
    Requests "max-requests-per-address" over_address_requests,
    /// Asked for too many WebSockets: answered with 429.
    Handshakes "max-handshakes-per-second" handshakes_limited,
    /// Sends too many messages: not read for a while.
    Messages "max-messages-per-second" clients_slowed,
    /// A head too large, or of too many fields: answered with 431.
    Header "max-header" headers_too_large,
    /// A head that took too long: closed.
    HandshakeTimeout "handshake-timeout" handshakes_too_slow,
    /// A body too large: answered with 413.
    Body "max-body" bodies_too_large,
    /// A body that took too long: answered with 408.
    BodyTimeout "body-timeout" bodies_too_slow,
    /// An answer that was not read for too long: closed.
    AnswerTimeout "idle-timeout" answers_unread,
    /// A trusted proxy that did not begin with a PROXY header: closed.
    ProxyHeader "proxy-protocol" proxy_headers_refused,
    /// No HTTP/1.1: answered with 400.
    Http "HTTP/1.1" requests_malformed,
    /// HTTP/2, which this listener does not speak: closed.
    Http2 "HTTP/2" http2_refused,
    /// A body that ended before its end (RFC 9112, section 8): there is nobody to answer.
    BodyEnd "HTTP/1.1" bodies_broken_off,
    /// A message or a frame too large, or a message of too many empty fragments: closed with 1009.
    Message "max-message" messages_too_large,
    /// A message that has begun and does not get on: closed with 1008.
    SlowMessage "body-timeout" messages_too_slow,
    /// No WebSocket protocol: answered with 400, or closed with 1002 or 1007.
    WebSocket "RFC 6455" protocol_errors,
}

/// What was logged of each limit of late.
pub(super) struct Notes([Note; LIMITS]);

struct Note {
    rate: RateLimit,
    /// Not logged since the last line.
    others: AtomicU64,
}

impl Default for Notes {
    fn default() -> Self {
        Notes(std::array::from_fn(|_| Note { rate: RateLimit::new(LINES), others: AtomicU64::new(0) }))
    }
}

impl Notes {
    pub(super) fn write(&self, limit: Limit, client: IpAddr) {
        let note = &self.0[limit as usize];
        if note.rate.admit() == Admitted::Yes {
            let others = note.others.swap(0, Ordering::Relaxed);
            tracing::info!(limit = limit.name(), %client, others, "{}", limit.line());
        } else {
            note.others.fetch_add(1, Ordering::Relaxed);
        }
    }
}
