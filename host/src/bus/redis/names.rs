//! What things are called in Redis. Every name begins with the application's prefix.

use std::sync::Arc;

use crate::bus::Topic;
use crate::ids::ServerId;

/// A channel of events: a stream that servers follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Stream {
    /// Followed by every server.
    All,
    /// Followed by the servers that have the controller of this name.
    Controller(Arc<str>),
    /// Followed by one server.
    Server(ServerId),
}

/// The names of one application.
#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
    topics: String,
}

impl Names {
    /// Pub/sub knows no databases, so that topics name theirs, unless it is the usual one.
    pub(super) fn new(prefix: &str, database: i64) -> Self {
        let topics = match database {
            0 => format!("{prefix}:topic:"),
            other => format!("{prefix}:{other}:topic:"),
        };
        Names { prefix: prefix.to_owned(), topics }
    }

    pub(super) fn stream(&self, stream: &Stream) -> String {
        let prefix = &self.prefix;
        match stream {
            Stream::All => format!("{prefix}:all"),
            Stream::Controller(name) => format!("{prefix}:controller:{name}"),
            // The braces keep it in one slot of a cluster with the lease.
            Stream::Server(server) => format!("{prefix}:server:{{{server}}}"),
        }
    }

    /// Is there as long as the server says that it lives.
    pub(super) fn lease(&self, server: ServerId) -> String {
        format!("{}:server:{{{server}}}:lease", self.prefix)
    }

    /// All servers, by the time when they last said that they live.
    pub(super) fn servers(&self) -> String {
        format!("{}:servers", self.prefix)
    }

    /// Where other programs put notifications for identities.
    pub(super) fn notices(&self) -> String {
        format!("{}:notify", self.prefix)
    }

    /// The pub/sub channel of a topic.
    pub(super) fn channel(&self, topic: &Topic) -> String {
        format!("{}{topic}", self.topics)
    }

    /// The topic of a pub/sub channel.
    pub(super) fn topic(&self, channel: &str) -> Option<Topic> {
        Topic::new(channel.strip_prefix(&self.topics)?).ok()
    }
}
