//! The bus in this process: a table of mailboxes by controller and by connection. Emitting puts an event into each
//! mailbox once, whatever the number of connections behind it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::topics::Topics;
use super::{Bus, EmitError, Envelope, NotSubscribed, Target, Topic};
use crate::connection::Connection;
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
}

impl LocalBus {
    pub(crate) fn new(metrics: Arc<Metrics>, topics_per_connection: usize) -> Self {
        LocalBus {
            metrics,
            instances: RwLock::default(),
            connections: RwLock::default(),
            topics: Topics::new(topics_per_connection),
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

    /// An event for one connection could not be delivered: its sender learns it, if there is one.
    pub(crate) fn undelivered(&self, target: ConnectionId, event: SharedEvent, from: Option<ConnectionId>) -> bool {
        self.metrics.events_undelivered.count();
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = from else { return false };
        if let Some(mailbox) = connections.get(&sender)
            && mailbox.put_undelivered(sender.key(), target, event).is_err()
        {
            self.metrics.events_dropped.count();
        }
        true
    }

    fn emit_to_many<'m>(
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

    fn emit_to_one(
        &self,
        target: ConnectionId,
        event: SharedEvent,
        from: Option<ConnectionId>,
    ) -> Result<(), EmitError> {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(mailbox) = connections.get(&target) {
            return mailbox.put_event(Recipients::One(target.key()), &event, from).map_err(|_full| {
                self.metrics.events_dropped.count();
                EmitError::Full { full: 1, all: 1 }
            });
        }
        drop(connections);
        if self.undelivered(target, event, from) { Ok(()) } else { Err(EmitError::Gone) }
    }
}

impl Bus for LocalBus {
    fn emit(&self, envelope: Envelope) -> Result<(), EmitError> {
        self.metrics.events_emitted.count();
        let Envelope { to, event, from } = envelope;
        match to {
            Target::Connection(target) => self.emit_to_one(target, event, from),
            Target::All => {
                let instances = self.instances.read().unwrap_or_else(PoisonError::into_inner);
                self.emit_to_many(instances.values().flatten(), &event, from)
            }
            Target::Controller(name) => {
                let instances = self.instances.read().unwrap_or_else(PoisonError::into_inner);
                let mailboxes = instances.get(name.as_str()).map_or(&[][..], Vec::as_slice);
                self.emit_to_many(mailboxes.iter(), &event, from)
            }
        }
    }

    fn publish(&self, topic: &Topic, message: &Message) {
        self.metrics.published.count();
        self.topics.publish(topic, message);
    }

    fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Result<(), NotSubscribed> {
        self.topics.subscribe(topic, connection)
    }

    fn unsubscribe(&self, topic: &Topic, connection: ConnectionId) {
        self.topics.unsubscribe(topic, connection);
    }
}

#[cfg(test)]
mod tests;
