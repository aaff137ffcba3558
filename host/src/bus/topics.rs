//! Who is subscribed to which topic on this server. Publishing queues one shared message in many outboxes; no guest runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::connection::{Connection, NotQueued};
use crate::ids::{ConnectionId, ConnectionKey};
use crate::message::Message;

/// A valid topic: 1 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic(Arc<str>);

impl Topic {
    const LIMIT: usize = 256;

    /// Checks a guest's text.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        match text.len() {
            1..=Topic::LIMIT => Ok(Topic(text.into())),
            length => Err(format!("a topic has 1 to {} bytes, not {length}", Topic::LIMIT)),
        }
    }
}

/// The subscriptions of this server, bounded for each connection.
pub(super) struct Topics {
    limit: usize,
    table: RwLock<Table>,
}

/// Both directions, so that publishing and the end of a connection are each one look-up.
#[derive(Default)]
struct Table {
    subscribers: HashMap<Topic, HashMap<ConnectionKey, Arc<Connection>>>,
    topics: HashMap<ConnectionKey, HashSet<Topic>>,
}

impl Topics {
    pub(super) fn new(limit: usize) -> Self {
        Topics { limit, table: RwLock::default() }
    }

    pub(super) fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> bool {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let key = connection.id.key();
        let topics = table.topics.entry(key).or_default();
        if topics.len() >= self.limit && !topics.contains(&topic) {
            return false;
        }
        topics.insert(topic.clone());
        table.subscribers.entry(topic).or_default().insert(key, Arc::clone(connection));
        true
    }

    pub(super) fn unsubscribe(&self, topic: &Topic, connection: ConnectionId) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let key = connection.key();
        if let Some(topics) = table.topics.get_mut(&key)
            && topics.remove(topic)
        {
            if topics.is_empty() {
                table.topics.remove(&key);
            }
            table.remove_subscriber(topic, key);
        }
    }

    pub(super) fn remove(&self, connection: ConnectionId) {
        let key = connection.key();
        // Most connections have no topics: the shared lock is enough to see that.
        if !self.table.read().unwrap_or_else(PoisonError::into_inner).topics.contains_key(&key) {
            return;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        for topic in table.topics.remove(&key).unwrap_or_default() {
            table.remove_subscriber(&topic, key);
        }
    }

    /// Queues `message` for all subscribers; returns how many of them were too slow for it.
    pub(super) fn publish(&self, topic: &Topic, message: &Message) -> usize {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let Some(subscribers) = table.subscribers.get(topic) else { return 0 };
        subscribers.values().filter(|connection| connection.send(message.clone()) == Err(NotQueued::Overflow)).count()
    }
}

impl Table {
    fn remove_subscriber(&mut self, topic: &Topic, key: ConnectionKey) {
        if let Some(subscribers) = self.subscribers.get_mut(topic) {
            subscribers.remove(&key);
            if subscribers.is_empty() {
                self.subscribers.remove(topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ServerId;

    fn connection() -> Arc<Connection> {
        Arc::new(Connection::new(ConnectionId::random(ServerId::random()), 4))
    }

    #[test]
    fn the_book_keeping_ends_empty() {
        let topics = Topics::new(2);
        let (one, two) = (connection(), connection());
        let topic = |text: &str| Topic::new(text).expect("a topic");
        assert!(topics.subscribe(topic("a"), &one));
        assert!(topics.subscribe(topic("a"), &one), "twice is once");
        assert!(topics.subscribe(topic("b"), &one));
        assert!(!topics.subscribe(topic("c"), &one), "over the limit");
        assert!(topics.subscribe(topic("a"), &two));

        assert_eq!(topics.publish(&topic("a"), &Message::Text("hey".into())), 0);
        assert_eq!(topics.publish(&topic("a"), &Message::Text("hey".into())), 2, "both overflow");

        topics.unsubscribe(&topic("a"), two.id);
        topics.unsubscribe(&topic("a"), two.id);
        topics.remove(one.id);
        let table = topics.table.read().expect("not poisoned");
        assert!(table.subscribers.is_empty() && table.topics.is_empty());
    }

    #[test]
    fn topics_have_a_length() {
        assert!(Topic::new("").is_err());
        assert!(Topic::new(&"x".repeat(256)).is_ok());
        assert!(Topic::new(&"x".repeat(257)).is_err());
    }
}
