//! The calls that objects are meant by: messages, events, notifications, the end. A call for many goes on behind the one
//! that failed in it, for those who came back.

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::component::ResourceAny;

use super::Instance;
use super::objects::{Being, Failed, Object};
use crate::closing::{CloseCause, Closing};
use crate::controller::bindings::lakou::controller::types::{ClosingParam, EventParam, MessageParam};
use crate::identity::{Identity, Notification};
use crate::ids::{ConnectionId, ConnectionKey};
use crate::mailbox::{Drain, Outcome, Recipients};
use crate::message::{Event, Message, SharedEvent};

impl Instance {
    pub(super) async fn receive(&mut self, messages: &mut Vec<(ConnectionKey, Message)>) {
        if messages.is_empty() {
            return;
        }
        // Messages that came before a failure may wait for an object that is gone by now.
        let connection = |theirs: &[(ConnectionKey, Message)]| {
            let object = self.objects.get(&theirs.first()?.0)?;
            let bytes = theirs.iter().map(|(_, message)| message.len()).sum();
            Some((Arc::clone(&object.connection), theirs.len(), bytes))
        };
        let connections: Vec<_> = runs(messages).filter_map(connection).collect();
        let mut rest = messages.as_slice();
        while !rest.is_empty() {
            rest = self.receive_some(rest).await;
        }
        for (connection, number, bytes) in connections {
            connection.messages_done(number, bytes);
        }
        messages.clear();
    }

    /// Hands messages over; gives those that a failure has left behind.
    async fn receive_some<'m>(&mut self, messages: &'m [(ConnectionKey, Message)]) -> &'m [(ConnectionKey, Message)] {
        if self.asleep > 0 {
            let keys: Vec<ConnectionKey> = messages.iter().map(|(from, _)| *from).collect();
            self.wake_all(&keys).await;
        }
        let mut batch = Vec::with_capacity(messages.len());
        let mut ids = Vec::with_capacity(messages.len());
        let mut places = Vec::with_capacity(messages.len());
        let mut place = 0;
        for theirs in runs(messages) {
            if let Some((handle, id)) = theirs.first().and_then(|(from, _)| self.awake(*from)) {
                batch.extend(theirs.iter().map(|(_, message)| match message {
                    Message::Text(text) => (handle, MessageParam::Text(text.as_str())),
                    Message::Binary(bytes) => (handle, MessageParam::Binary(bytes)),
                }));
                ids.extend(std::iter::repeat_n(id, theirs.len()));
                places.extend(place..place + theirs.len());
            }
            place += theirs.len();
        }
        let Some(living) = self.living.as_mut().filter(|_| !batch.is_empty()) else { return &[] };
        let called = living.receive(&batch, ids).await;
        match self.settle(called, "message") {
            Ok(()) => {
                self.class.breaker.done(places.len());
                &[]
            }
            Err(failed) => messages.get(failed.behind(&places)..).unwrap_or_default(),
        }
    }

    pub(super) async fn deliver(&mut self, to: Recipients, event: SharedEvent, from: Option<ConnectionId>) {
        let keys: Vec<ConnectionKey> = match to {
            Recipients::One(key) if self.objects.contains_key(&key) => vec![key],
            Recipients::One(key) => {
                let target = ConnectionId::on(self.class.environment.server, key);
                return self.class.environment.bus.undelivered(target, event, from);
            }
            Recipients::All => self.objects.keys().copied().collect(),
            Recipients::AllBut(but) => self.objects.keys().copied().filter(|key| *key != but).collect(),
        };
        self.class.environment.metrics.events_delivered.add(keys.len());
        self.deliver_to(keys, &event).await;
    }

    pub(super) async fn deliver_to(&mut self, keys: Vec<ConnectionKey>, event: &Event) {
        let mut rest = keys.as_slice();
        while !rest.is_empty() {
            self.wake_all(rest).await;
            let mut places = Vec::new();
            let mut ids = Vec::with_capacity(rest.len());
            let mut handles = Vec::with_capacity(rest.len());
            for (place, key) in rest.iter().enumerate() {
                if let Some((handle, id)) = self.awake(*key) {
                    handles.push(handle);
                    ids.push(id);
                    places.push(place);
                }
            }
            let Some(living) = self.living.as_mut().filter(|_| !handles.is_empty()) else { return };
            let called = living.deliver(&handles, ids, EventParam { name: &event.name, args: &event.args }).await;
            match self.settle(called, "event") {
                Ok(()) => return self.class.breaker.done(places.len()),
                Err(failed) => rest = rest.get(failed.behind(&places)..).unwrap_or_default(),
            }
        }
    }

    pub(super) async fn undelivered(&mut self, to: ConnectionKey, target: ConnectionId, event: &SharedEvent) {
        let Some((handle, id)) = self.woken(to).await else { return };
        let Some(living) = &mut self.living else { return };
        let param = EventParam { name: &event.name, args: &event.args };
        let called = living.undelivered(handle, id, target, param).await;
        let _ = self.settle(called, "undelivered");
    }

    pub(super) async fn notify(
        &mut self,
        to: ConnectionKey,
        identity: &Identity,
        notification: &Notification,
    ) -> Outcome {
        // What a connection that is closing would do with it, nobody would see: it stays in the mailbox.
        let object = self.objects.get(&to).filter(|object| !object.connection.is_closing());
        let Some(connection) = object.map(|object| Arc::clone(&object.connection)) else { return Outcome::Lost };
        let Some((handle, id)) = self.woken(to).await else { return Outcome::Lost };
        let Some(living) = &mut self.living else { return Outcome::Lost };
        let called = living.notify(handle, id, identity, notification).await;
        match self.settle(called, "notification") {
            Ok(()) => {
                self.class.breaker.done(1);
                Outcome::Handled(connection.mark())
            }
            Err(Failed { .. }) => Outcome::Failed,
        }
    }

    pub(super) async fn replaced(&mut self, to: ConnectionKey, identity: &Identity) {
        let connection = ConnectionId::on(self.class.environment.server, to);
        if self.class.environment.identities.holds(connection, identity) {
            // It has registered again since.
            return;
        }
        let Some((handle, id)) = self.woken(to).await else { return };
        let Some(living) = &mut self.living else { return };
        let called = living.replaced(handle, id, identity).await;
        let _ = self.settle(called, "replaced");
    }

    pub(super) async fn close(&mut self, key: ConnectionKey, closing: &Closing) {
        self.woken(key).await;
        // Not there: its store failed, and it has been dealt with.
        let Some(Object { being, connection, .. }) = self.objects.remove(&key) else { return };
        if let (Some(living), Being::Awake(handle)) = (&mut self.living, being) {
            let param = ClosingParam { code: closing.code, reason: &closing.reason };
            let called = living.close(handle, connection.id, param).await;
            let _ = self.settle(called, "close");
        }
        // Last, because the guest may have subscribed to something on its way out.
        self.class.environment.end_connection(&connection);
    }

    pub(super) async fn shut_down(&mut self, drain: Drain) {
        self.draining = Some(drain);
        let mut order: Vec<(Instant, ConnectionKey)> = Vec::with_capacity(self.objects.len());
        for (key, object) in &self.objects {
            // However long the calls below take, no connection outlives the drain.
            object.connection.close_at(drain.end(), Closing::of(CloseCause::Stopping));
            order.push((drain.moment(object.connection.id), *key));
        }
        order.sort_unstable();
        for (moment, key) in order {
            let Some((handle, id)) = self.woken(key).await else { continue };
            let Some(living) = &mut self.living else { continue };
            let called = living.shut_down(handle, id).await;
            if self.settle(called, "shutdown").is_ok()
                && let Some(object) = self.objects.get(&key)
            {
                object.connection.close_at(moment, Closing::of(CloseCause::Stopping));
            }
        }
    }

    /// An object that is in the guest.
    fn awake(&self, key: ConnectionKey) -> Option<(ResourceAny, ConnectionId)> {
        match self.objects.get(&key)? {
            Object { being: Being::Awake(handle), connection, .. } => Some((*handle, connection.id)),
            Object { being: Being::Asleep, .. } => None,
        }
    }

    /// As `awake`, after waking it.
    async fn woken(&mut self, key: ConnectionKey) -> Option<(ResourceAny, ConnectionId)> {
        self.wake(key).await?;
        self.awake(key)
    }
}

/// Messages of one connection that follow each other: a client that sends many has them side by side, so that its object is
/// looked up once.
fn runs(messages: &[(ConnectionKey, Message)]) -> impl Iterator<Item = &[(ConnectionKey, Message)]> {
    messages.chunk_by(|(one, _), (other, _)| one == other)
}

impl Failed {
    /// Where to go on: behind the item that failed. A guest that did not say where it was has failed at all of them.
    fn behind(&self, places: &[usize]) -> usize {
        self.attended.and_then(|item| places.get(item)).map_or(usize::MAX, |place| place + 1)
    }
}
