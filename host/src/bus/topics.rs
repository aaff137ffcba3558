//! The subscribers of each topic on this server. Publishing queues one shared message in many outboxes; no guest runs.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;

use super::NotSubscribed;
use crate::connection::Connection;
use crate::ids::{ConnectionId, ConnectionKey};
use crate::message::Message;

/// A valid topic: 1 to 256 bytes of text without a star, which is a pattern in grants and means nothing here: a literal one
/// would look like a subscription to many.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic(Arc<str>);

impl Topic {
    const LIMIT: usize = 256;

    /// Checks a guest's text.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        match text.len() {
            1..=Topic::LIMIT if text.contains('*') => Err("a topic has no `*`: there are no patterns of topics".into()),
            1..=Topic::LIMIT => Ok(Topic(text.into())),
            length => Err(format!("a topic has 1 to {} bytes, not {length}", Topic::LIMIT)),
        }
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The subscriptions of this server, bounded for each connection.
pub(super) struct Topics {
    limit: usize,
    table: RwLock<Table>,
    /// Woken when a topic has got its first subscriber, or lost its last one.
    changed: Notify,
}

/// Both directions, so that publishing and the end of a connection are each one look-up.
#[derive(Default)]
struct Table {
    subscribers: HashMap<Topic, HashMap<ConnectionKey, Arc<Connection>>>,
    topics: HashMap<ConnectionKey, HashSet<Topic>>,
    /// Topics with a first or without a last subscriber since somebody looked; none: nobody ever looks.
    changed: Option<HashSet<Topic>>,
}

impl Topics {
    pub(super) fn new(limit: usize) -> Self {
        Topics { limit, table: RwLock::default(), changed: Notify::new() }
    }

    /// Resolves when a topic has got its first subscriber, or lost its last one.
    pub(super) async fn change(&self) {
        self.changed.notified().await;
    }

    /// The topics to which that has happened.
    pub(super) fn take_changed(&self) -> Vec<Topic> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.changed.as_mut().map(std::mem::take).into_iter().flatten().collect()
    }

    /// As if it had happened to all topics just now. Without this having been called once, it is not recorded.
    pub(super) fn touch_all(&self) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.changed = Some(table.subscribers.keys().cloned().collect());
        self.changed.notify_one();
    }

    pub(super) fn has_subscribers(&self, topic: &Topic) -> bool {
        self.table.read().unwrap_or_else(PoisonError::into_inner).subscribers.contains_key(topic)
    }

    pub(super) fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Result<(), NotSubscribed> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: `remove` sets it under the lock, too, so that nothing is entered after it.
        if connection.topics_over.load(Ordering::Relaxed) {
            return Err(NotSubscribed::Gone);
        }
        let key = connection.id.key();
        let topics = table.topics.entry(key).or_default();
        if topics.len() >= connection.topics_limit.unwrap_or(self.limit) && !topics.contains(&topic) {
            return Err(NotSubscribed::Full);
        }
        topics.insert(topic.clone());
        if !table.subscribers.contains_key(&topic) {
            table.change(&topic);
            self.changed.notify_one();
        }
        table.subscribers.entry(topic).or_default().insert(key, Arc::clone(connection));
        Ok(())
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
            self.changed.notify_one();
        }
    }

    /// The connection has ended: it leaves its topics and enters no others.
    pub(super) fn remove(&self, connection: &Connection) {
        let key = connection.id.key();
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        connection.topics_over.store(true, Ordering::Relaxed);
        for topic in table.topics.remove(&key).unwrap_or_default() {
            table.remove_subscriber(&topic, key);
            self.changed.notify_one();
        }
    }

    /// Queues `message` for all subscribers. One that is too slow for it is being closed, which is its session's matter.
    pub(super) fn publish(&self, topic: &Topic, message: &Message) {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        for connection in table.subscribers.get(topic).into_iter().flat_map(HashMap::values) {
            let _ = connection.send(message.clone());
        }
    }
}

impl Table {
    fn change(&mut self, topic: &Topic) {
        if let Some(changed) = &mut self.changed {
            changed.insert(topic.clone());
        }
    }

    fn remove_subscriber(&mut self, topic: &Topic, key: ConnectionKey) {
        if let Some(subscribers) = self.subscribers.get_mut(topic) {
            subscribers.remove(&key);
            if subscribers.is_empty() {
                self.subscribers.remove(topic);
                self.change(topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::NotQueued;
    use crate::ids::ServerId;

    fn connection() -> Arc<Connection> {
        Arc::new(Connection::new(ConnectionId::random(ServerId::random()), 4))
    }

    #[test]
    fn the_book_keeping_ends_empty() {
        let topics = Topics::new(2);
        let (one, two) = (connection(), connection());
        let topic = |text: &str| Topic::new(text).expect("a topic");
        assert_eq!(topics.subscribe(topic("a"), &one), Ok(()));
        assert_eq!(topics.subscribe(topic("a"), &one), Ok(()), "twice is once");
        assert_eq!(topics.subscribe(topic("b"), &one), Ok(()));
        assert_eq!(topics.subscribe(topic("c"), &one), Err(NotSubscribed::Full));
        assert_eq!(topics.subscribe(topic("a"), &two), Ok(()));

        topics.publish(&topic("a"), &Message::Text("hey".into()));
        for connection in [&one, &two] {
            assert_eq!(connection.send(Message::Text("hey".into())), Err(NotQueued::Gone), "there was one already");
        }

        topics.unsubscribe(&topic("a"), two.id);
        topics.unsubscribe(&topic("a"), two.id);
        topics.remove(&one);
        assert_eq!(topics.subscribe(topic("a"), &one), Err(NotSubscribed::Gone));
        let table = topics.table.read().expect("not poisoned");
        assert!(table.subscribers.is_empty() && table.topics.is_empty());
    }

    #[test]
    fn topics_have_a_length() {
        assert!(Topic::new("").is_err());
        assert!(Topic::new(&"x".repeat(256)).is_ok());
        assert!(Topic::new(&"x".repeat(257)).is_err());
    }

    #[test]
    fn a_topic_is_no_pattern() {
        for text in ["*", "news/*", "*/local", "a*b"] {
            assert!(Topic::new(text).is_err_and(|wrong| wrong.contains('*')), "{text}");
        }
        assert!(Topic::new("news/?[a]").is_ok(), "nothing else is special");
    }
}
