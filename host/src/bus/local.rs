//! The bus in this process: a table of mailboxes by controller and by connection. Emitting puts an event into each
//! mailbox once, whatever the number of connections behind it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::bells::Bells;
use super::topics::Topics;
use super::{Bus, BusHealth, EmitError, Envelope, NotSubscribed, OutOfReach, Target, Topic};
use crate::bell::Bell;
use crate::connection::Connection;
use crate::identity::Identity;
use crate::ids::ConnectionId;
use crate::mailbox::{Drain, Mailbox, Recipients, Work};
use crate::message::{Message, SharedEvent};
use crate::metrics::Metrics;

/// Reaches every connection of this server and nothing else.
pub(crate) struct LocalBus {
    metrics: Arc<Metrics>,
    instances: RwLock<HashMap<Arc<str>, Vec<Arc<Mailbox>>>>,
    connections: RwLock<HashMap<ConnectionId, Arc<Mailbox>>>,
    topics: Topics,
    bells: Bells,
}

impl LocalBus {
    pub(crate) fn new(metrics: Arc<Metrics>, topics_per_connection: usize) -> Self {
        LocalBus {
            metrics,
            instances: RwLock::default(),
            connections: RwLock::default(),
            topics: Topics::new(topics_per_connection),
            bells: Bells::default(),
        }
    }

    /// A new instance of `controller` takes events.
    pub(crate) fn add_instance(&self, controller: &Arc<str>, mailbox: &Arc<Mailbox>) {
        let mut instances = self.instances.write().unwrap_or_else(PoisonError::into_inner);
        instances.entry(Arc::clone(controller)).or_default().push(Arc::clone(mailbox));
    }

    pub(crate) fn remove_instance(&self, controller: &str, mailbox: &Arc<Mailbox>) {
        let mut instances = self.instances.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(mailboxes) = instances.get_mut(controller) {
            mailboxes.retain(|other| !Arc::ptr_eq(other, mailbox));
            if mailboxes.is_empty() {
                instances.remove(controller);
            }
        }
    }

    /// A connection can be reached through this mailbox.
    pub(crate) fn add_connection(&self, connection: ConnectionId, mailbox: &Arc<Mailbox>) {
        let mut connections = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        connections.insert(connection, Arc::clone(mailbox));
    }

    /// A connection has ended; its topics end with it.
    pub(crate) fn remove_connection(&self, connection: &Connection) {
        self.topics.remove(connection);
        self.connections.write().unwrap_or_else(PoisonError::into_inner).remove(&connection.id);
    }

    /// Tells every instance that the server stops.
    pub(crate) fn shut_down(&self, drain: Drain) {
        let instances = self.instances.read().unwrap_or_else(PoisonError::into_inner);
        for mailbox in instances.values().flatten() {
            mailbox.put(Work::Shutdown { drain });
        }
    }

    /// Gives an event to those of this server that it is for. `Gone` is all that happens if its target is not there.
    pub(super) fn hand(&self, envelope: &Envelope) -> Result<(), EmitError> {
        let Envelope { to, event, from } = envelope;
        match to {
            Target::Connection(target) => self.hand_to_one(*target, event, *from),
            Target::All => {
                let instances = self.instances.read().unwrap_or_else(PoisonError::into_inner);
                self.hand_to_many(instances.values().flatten(), event, *from)
            }
            Target::Controller(name) => {
                let instances = self.instances.read().unwrap_or_else(PoisonError::into_inner);
                let mailboxes = instances.get(name.as_str()).map_or(&[][..], Vec::as_slice);
                self.hand_to_many(mailboxes.iter(), event, *from)
            }
        }
    }

    /// Tells a sender of this server, if it is still there, that what it sent to `target` came back.
    pub(super) fn tell_undelivered(&self, sender: ConnectionId, target: ConnectionId, event: SharedEvent) {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(mailbox) = connections.get(&sender)
            && mailbox.put_undelivered(sender.key(), target, event).is_err()
        {
            self.metrics.events_dropped.count();
        }
    }

    /// Hands something that is bounded elsewhere to the instance of a connection; false: the connection is gone.
    pub(crate) fn put(&self, to: ConnectionId, work: Work) -> bool {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        connections.get(&to).map(|mailbox| mailbox.put(work)).is_some()
    }

    /// A bell for a holder of this server.
    pub(crate) fn hang_bell(&self, holder: ConnectionId, identity: &Identity) -> Arc<Bell> {
        self.bells.hang(holder, identity)
    }

    pub(crate) fn take_down_bell(&self, holder: ConnectionId, identity: &Identity) {
        self.bells.take_down(holder, identity);
    }

    /// Rings may have been lost.
    pub(super) fn ring_all(&self) {
        self.bells.ring_all();
    }

    /// A holder of another server is gone.
    pub(super) fn miss(&self, holder: ConnectionId, identity: &Identity) {
        self.bells.miss(holder, identity);
    }

    /// Waits for holders, of whatever server, of which it turns out that they are gone.
    pub(crate) async fn missing_holders(&self) -> Vec<(ConnectionId, Identity)> {
        self.bells.missing().await
    }

    /// Queues a message that another server has published.
    pub(super) fn pass_on(&self, topic: &Topic, message: &Message) {
        self.topics.publish(topic, message);
    }

    /// Resolves when a topic has got its first subscriber here, or lost its last one.
    pub(super) async fn topics_change(&self) {
        self.topics.change().await;
    }

    /// The topics to which that happened.
    pub(super) fn changed_topics(&self) -> Vec<Topic> {
        self.topics.take_changed()
    }

    /// As if it had happened to all of them.
    pub(super) fn touch_all_topics(&self) {
        self.topics.touch_all();
    }

    /// Whether somebody here is subscribed.
    pub(super) fn has_subscribers(&self, topic: &Topic) -> bool {
        self.topics.has_subscribers(topic)
    }

    fn hand_to_many<'m>(
        &self,
        mailboxes: impl Iterator<Item = &'m Arc<Mailbox>>,
        event: &SharedEvent,
        from: Option<ConnectionId>,
    ) -> Result<(), EmitError> {
        let to = from.map_or(Recipients::All, |sender| Recipients::AllBut(sender.key()));
        let (mut all, mut full) = (0, 0);
        for mailbox in mailboxes {
            all += 1;
            full += usize::from(mailbox.put_event(to, event, from).is_err());
        }
        self.metrics.events_dropped.add(full);
        if full == 0 { Ok(()) } else { Err(EmitError::Full { full, all }) }
    }

    fn hand_to_one(
        &self,
        target: ConnectionId,
        event: &SharedEvent,
        from: Option<ConnectionId>,
    ) -> Result<(), EmitError> {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        let mailbox = connections.get(&target).ok_or(EmitError::Gone)?;
        mailbox.put_event(Recipients::One(target.key()), event, from).map_err(|_full| {
            self.metrics.events_dropped.count();
            EmitError::Full { full: 1, all: 1 }
        })
    }
}

impl Bus for LocalBus {
    fn emit(&self, envelope: Envelope) -> Result<(), EmitError> {
        self.metrics.events_emitted.count();
        let handed = self.hand(&envelope);
        if handed == Err(EmitError::Gone)
            && let Envelope { to: Target::Connection(target), event, from } = envelope
        {
            self.undelivered(target, event, from);
            return if from.is_some() { Ok(()) } else { Err(EmitError::Gone) };
        }
        handed
    }

    fn undelivered(&self, target: ConnectionId, event: SharedEvent, from: Option<ConnectionId>) {
        self.metrics.events_undelivered.count();
        if let Some(sender) = from {
            self.tell_undelivered(sender, target, event);
        }
    }

    fn ring(&self, holder: ConnectionId, identity: &Identity) {
        self.bells.ring(holder, identity);
    }

    fn publish(&self, topic: &Topic, message: &Message) -> Result<(), OutOfReach> {
        self.metrics.published.count();
        self.topics.publish(topic, message);
        Ok(())
    }

    fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Result<(), NotSubscribed> {
        self.topics.subscribe(topic, connection)
    }

    fn unsubscribe(&self, topic: &Topic, connection: ConnectionId) {
        self.topics.unsubscribe(topic, connection);
    }

    fn health(&self) -> BusHealth {
        BusHealth { connected: true, degraded_since: None, cause: String::new(), backlog_events: 0, backlog_bytes: 0 }
    }
}

#[cfg(test)]
mod tests;
