//! What is done with what was read: an event goes to the connections of this server that it is for, and what is none is skipped,
//! counted and told.

use std::sync::Arc;

use super::Shared;
use super::entry::{Body, Unreadable};
use super::names::Stream;
use super::order::Position;
use crate::bus::{Bus, EmitError, Envelope, Target};

impl Shared {
    /// Gives an event to the connections of this server that it is for. A stream says for whom; `to` is for one's own.
    pub(super) fn hand_on(&self, stream: &Stream, body: Body) {
        let (event, target, from) = match (stream, body) {
            (Stream::Server(_), Body::Undelivered { event, to, target }) => {
                return self.local.tell_undelivered(to, target, event);
            }
            (Stream::Server(_), Body::Ring { identity, to }) if to.server() == self.server => {
                return self.local.ring(to, &identity);
            }
            (Stream::Server(_), Body::Event { event, to: Some(to), from }) => (event, Target::Connection(to), from),
            (Stream::All, Body::Event { event, from, .. }) => (event, Target::All, from),
            (Stream::Controller(name), Body::Event { event, from, .. }) => {
                (event, Target::Controller(name.to_string()), from)
            }
            (_, Body::Undelivered { .. } | Body::Ring { .. } | Body::Notify { .. } | Body::Event { to: None, .. }) => {
                self.metrics.events_malformed.count();
                if self.may_complain() {
                    tracing::warn!("redis: an event is skipped that does not say for whom it is");
                }
                return;
            }
        };
        let envelope = Envelope { to: target, event: Arc::clone(&event), from };
        if self.local.hand(&envelope) == Err(EmitError::Gone)
            && let Target::Connection(target) = envelope.to
        {
            self.return_to_sender(target, event, from);
        }
    }

    pub(super) fn skip(&self, key: &str, at: Position, unreadable: &Unreadable) {
        self.count(unreadable);
        if self.may_complain() {
            tracing::warn!(stream = key, entry = %at, "redis: an entry is skipped: {unreadable}");
        }
    }

    pub(super) fn count(&self, unreadable: &Unreadable) {
        let metric = match unreadable {
            Unreadable::Newer(_) => &self.metrics.events_newer,
            Unreadable::Malformed(_) => &self.metrics.events_malformed,
        };
        metric.count();
    }

    /// Something else is in a stream's place, or no longer.
    pub(super) fn report(&self, key: &str, blocked: bool) {
        if blocked {
            tracing::error!("redis: {key} is no stream; what belongs there is lost until it is removed");
            self.health.down(key, &format!("{key} is no stream"));
        } else {
            tracing::info!("redis: {key} is a stream again");
            self.health.up(key);
        }
    }
}
