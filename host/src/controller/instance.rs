//! One instance: a store of a class that holds the objects of many connections, and the only task that enters it. It takes
//! its work from its mailbox, in order; messages that wait together enter the guest together.
//!
//! A failed call poisons the store. The connection at fault is closed with 1011, the others, whose objects are lost with the
//! store, with 1012; the task goes on with a fresh store for those who come next.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument;
use wasmtime::component::ResourceAny;

use self::living::{Living, NoStore};
use super::bindings::lakou::controller::types::{ClosingParam, EventParam, MessageParam};
use super::class::Class;
use crate::connection::Connection;
use crate::identity::{Identity, Notification};
use crate::ids::{ConnectionId, ConnectionKey};
use crate::mailbox::{Drain, Mailbox, NotAccepted, Outcome, Recipients, Work};
use crate::message::{Closing, Message, SharedEvent};
use crate::request::{Acceptance, Request};
use crate::shutdown::Alive;

mod living;
mod lower;

/// How many things are taken from the mailbox at a time, and so the most messages that one call carries. Beyond some
/// dozens the cost of crossing the boundary is spread thin, and a batch that fails loses more.
const BATCH: usize = 64;

/// How many bytes of messages one call carries, a last message beyond it included: they all are in the guest's memory
/// at once.
const BATCH_BYTES: usize = 1024 * 1024;

/// Opens an instance of `class`; its store is made when the first call needs it.
pub(super) fn open(class: &Arc<Class>) -> Arc<Mailbox> {
    let (mailbox, receiver) = Mailbox::new();
    let environment = &class.environment;
    environment.local.add_instance(&class.name, &mailbox);
    environment.metrics.instances.count();
    environment.metrics.instances_opened.count();
    let instance = Instance {
        class: Arc::clone(class),
        mailbox: Arc::downgrade(&mailbox),
        living: None,
        objects: HashMap::new(),
        draining: None,
        _alive: environment.alive.clone(),
    };
    let span = tracing::debug_span!("instance", controller = %class.name);
    tokio::spawn(instance.run(receiver).instrument(span));
    mailbox
}

struct Instance {
    class: Arc<Class>,
    /// Weak, because the instance ends when nobody else can put anything in.
    mailbox: Weak<Mailbox>,
    living: Option<Living>,
    objects: HashMap<ConnectionKey, Object>,
    draining: Option<Drain>,
    _alive: Alive,
}

/// One connection's object in the guest.
struct Object {
    handle: ResourceAny,
    connection: Arc<Connection>,
}

/// A call failed; what follows from it has been done.
struct Failed;

impl Instance {
    async fn run(mut self, mut receiver: UnboundedReceiver<Work>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while receiver.recv_many(&mut waiting, BATCH).await > 0 {
            if waiting.len() < BATCH {
                // Sessions that are ready to run may be about to add to the batch.
                tokio::task::yield_now().await;
                while waiting.len() < BATCH
                    && let Ok(work) = receiver.try_recv()
                {
                    waiting.push(work);
                }
            }
            self.work_off(&mut waiting).await;
        }
    }

    /// Does what waits, in order, with neighbouring messages joined into one call.
    async fn work_off(&mut self, waiting: &mut Vec<Work>) {
        let mut messages = Vec::new();
        let mut bytes = 0;
        for work in waiting.drain(..) {
            match work {
                Work::Receive { from, message } => {
                    bytes += message.len();
                    messages.push((from, message));
                    if bytes >= BATCH_BYTES {
                        self.receive(&mut messages).await;
                        bytes = 0;
                    }
                }
                other => {
                    self.receive(&mut messages).await;
                    bytes = 0;
                    self.work(other).await;
                }
            }
        }
        self.receive(&mut messages).await;
    }

    async fn work(&mut self, work: Work) {
        match work {
            Work::Connect { request, answer } => self.connect(&request, answer).await,
            Work::Open { connection, request } => self.open(connection, &request).await,
            Work::Deliver { to, event, from } => {
                self.taken(&event);
                self.deliver(to, event, from).await;
            }
            Work::Undelivered { to, target, event } => {
                self.taken(&event);
                self.undelivered(to, target, &event).await;
            }
            Work::Notify { to, identity, notification, done } => {
                let outcome = self.notify(to, &identity, &notification).await;
                // Nobody waits for it if the server is ending.
                let _ = done.send(outcome);
            }
            Work::Replaced { to, identity } => self.replaced(to, &identity).await,
            Work::Hangup { connection, closing } => {
                if let Some(object) = self.objects.get(&connection) {
                    object.connection.close(closing);
                }
            }
            Work::Close { connection, closing } => self.close(connection, &closing).await,
            Work::Shutdown { drain } => self.shut_down(drain).await,
            // Joined into calls by `work_off`; alone it is a call of one.
            Work::Receive { from, message } => self.receive(&mut vec![(from, message)]).await,
        }
    }

    fn taken(&self, event: &SharedEvent) {
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.event_taken(event);
        }
    }

    async fn connect(&mut self, request: &Request, answer: oneshot::Sender<Result<Acceptance, NotAccepted>>) {
        if answer.is_closed() {
            return;
        }
        let accepted =
            if self.class.environment.is_stopping() { Err(NotAccepted::Stopping) } else { self.ask(request).await };
        // The client may have left while the guest was thinking.
        let _ = answer.send(accepted);
    }

    async fn ask(&mut self, request: &Request) -> Result<Acceptance, NotAccepted> {
        self.live().await.map_err(|no_store| match no_store {
            NoStore::NoRoom => NotAccepted::NoRoom,
            NoStore::Failed => NotAccepted::Failed,
        })?;
        let Some(living) = &mut self.living else { return Err(NotAccepted::Failed) };
        let called = living.connect(request).await;
        self.settle(called, "connect").map_err(|Failed| NotAccepted::Failed)?.map_err(NotAccepted::Refused)
    }

    async fn open(&mut self, connection: Arc<Connection>, request: &Request) {
        match self.live().await {
            Ok(()) => {}
            Err(NoStore::NoRoom) => return connection.close(Closing::over_capacity()),
            Err(NoStore::Failed) => return connection.close(Closing::controller_failed()),
        }
        let (Some(living), Some(mailbox)) = (&mut self.living, self.mailbox.upgrade()) else { return };
        let id = connection.id;
        // Reachable before its constructor runs: what the constructor emits may be answered at once.
        self.class.environment.local.add_connection(id, &mailbox);
        let called = living.open(&connection, request).await;
        match self.settle(called, "open") {
            Ok(handle) => {
                if let Some(drain) = self.draining {
                    connection.close_at(drain.moment(id), Closing::going_away());
                }
                self.objects.insert(id.key(), Object { handle, connection });
            }
            Err(Failed) => {
                connection.close(Closing::controller_failed());
                self.class.environment.end_connection(&connection);
            }
        }
    }

    async fn receive(&mut self, messages: &mut Vec<(ConnectionKey, Message)>) {
        if messages.is_empty() {
            return;
        }
        let mut batch = Vec::with_capacity(messages.len());
        let mut connections = Vec::with_capacity(messages.len());
        for (from, message) in messages.iter() {
            // Messages that came before a failure may wait for an object that is gone by now.
            if let Some(object) = self.objects.get(from) {
                let message_param = match message {
                    Message::Text(text) => MessageParam::Text(text.as_str()),
                    Message::Binary(bytes) => MessageParam::Binary(bytes),
                };
                batch.push((object.handle, message_param));
                connections.push((Arc::clone(&object.connection), message.len()));
            }
        }
        if let Some(living) = self.living.as_mut().filter(|_| !batch.is_empty()) {
            let called = living.receive(&batch, connections.iter().map(|(connection, _)| connection.id)).await;
            let _ = self.settle(called, "message");
        }
        for (connection, bytes) in connections {
            connection.message_done(bytes);
        }
        messages.clear();
    }

    async fn deliver(&mut self, to: Recipients, event: SharedEvent, from: Option<ConnectionId>) {
        let (handles, ids): (Vec<_>, Vec<_>) = match to {
            Recipients::One(key) => {
                self.objects.get(&key).map(|object| (object.handle, object.connection.id)).into_iter().unzip()
            }
            Recipients::All => self.objects.values().map(|object| (object.handle, object.connection.id)).unzip(),
            Recipients::AllBut(but) => self
                .objects
                .iter()
                .filter(|(key, _)| **key != but)
                .map(|(_, object)| (object.handle, object.connection.id))
                .unzip(),
        };
        if handles.is_empty() {
            if let Recipients::One(key) = to {
                let target = ConnectionId::on(self.class.environment.server, key);
                self.class.environment.bus.undelivered(target, event, from);
            }
            return;
        }
        let Some(living) = &mut self.living else { return };
        self.class.environment.metrics.events_delivered.add(handles.len());
        let param = EventParam { name: &event.name, args: &event.args };
        let called = living.deliver(&handles, ids, param).await;
        let _ = self.settle(called, "event");
    }

    async fn undelivered(&mut self, to: ConnectionKey, target: ConnectionId, event: &SharedEvent) {
        let Some(object) = self.objects.get(&to) else { return };
        let Some(living) = &mut self.living else { return };
        let param = EventParam { name: &event.name, args: &event.args };
        let called = living.undelivered(object.handle, object.connection.id, target, param).await;
        let _ = self.settle(called, "undelivered");
    }

    async fn notify(&mut self, to: ConnectionKey, identity: &Identity, notification: &Notification) -> Outcome {
        // What a connection that is closing would do with it, nobody would see: it stays in the mailbox.
        let Some(object) = self.objects.get(&to).filter(|object| !object.connection.is_closing()) else {
            return Outcome::Lost;
        };
        let Some(living) = &mut self.living else { return Outcome::Lost };
        let called = living.notify(object.handle, object.connection.id, identity, notification).await;
        match self.settle(called, "notification") {
            Ok(()) => Outcome::Handled,
            Err(Failed) => Outcome::Failed,
        }
    }

    async fn replaced(&mut self, to: ConnectionKey, identity: &Identity) {
        let Some(object) = self.objects.get(&to) else { return };
        if self.class.environment.identities.holds(object.connection.id, identity) {
            // It has registered again since.
            return;
        }
        let Some(living) = &mut self.living else { return };
        let called = living.replaced(object.handle, object.connection.id, identity).await;
        let _ = self.settle(called, "replaced");
    }

    async fn close(&mut self, key: ConnectionKey, closing: &Closing) {
        // Not there: its store failed, and it has been dealt with.
        let Some(object) = self.objects.remove(&key) else { return };
        let id = object.connection.id;
        if let Some(living) = &mut self.living {
            let param = ClosingParam { code: closing.code, reason: &closing.reason };
            let called = living.close(object.handle, id, param).await;
            let _ = self.settle(called, "close");
        }
        // Last, because the guest may have subscribed to something on its way out.
        self.class.environment.end_connection(&object.connection);
    }

    async fn shut_down(&mut self, drain: Drain) {
        self.draining = Some(drain);
        let mut order: Vec<(Instant, ConnectionKey)> = Vec::with_capacity(self.objects.len());
        for (key, object) in &self.objects {
            // However long the calls below take, no connection outlives the drain.
            object.connection.close_at(drain.end(), Closing::going_away());
            order.push((drain.moment(object.connection.id), *key));
        }
        order.sort_unstable();
        for (moment, key) in order {
            let (Some(object), Some(living)) = (self.objects.get(&key), &mut self.living) else { continue };
            let called = living.shut_down(object.handle, object.connection.id).await;
            if self.settle(called, "shutdown").is_ok()
                && let Some(object) = self.objects.get(&key)
            {
                object.connection.close_at(moment, Closing::going_away());
            }
        }
    }

    /// Makes a store if there is none.
    async fn live(&mut self) -> Result<(), NoStore> {
        if self.living.is_none() {
            self.living = Some(Living::new(&self.class).await?);
        }
        Ok(())
    }

    /// Takes the result of a call; a failure ends the store and everything that was in it.
    fn settle<T>(&mut self, called: Result<T, super::call::Ended>, doing: &str) -> Result<T, Failed> {
        let ended = match called {
            Ok(value) => return Ok(value),
            Err(ended) => ended,
        };
        let Some(living) = self.living.take() else { return Err(Failed) };
        self.class.failed(ended, living.state(), doing);
        let at_fault = living.state().batch.at_fault();
        for object in std::mem::take(&mut self.objects).into_values() {
            let id = object.connection.id;
            let closing = if at_fault.contains(&id) { Closing::controller_failed() } else { Closing::instance_lost() };
            object.connection.close(closing);
            self.class.environment.end_connection(&object.connection);
        }
        Err(Failed)
    }
}

impl Drop for Instance {
    /// After the last connection there is nothing left to do here. After a panic there is: nobody else will tell the
    /// connections, and the place must not be given to others.
    fn drop(&mut self) {
        // Before it is counted as gone: whoever sees the count may ask for the room that the store has held.
        self.living = None;
        let environment = &self.class.environment;
        environment.metrics.instances.uncount();
        for object in std::mem::take(&mut self.objects).into_values() {
            object.connection.close(Closing::controller_failed());
            environment.end_connection(&object.connection);
        }
        if let Some(mailbox) = self.mailbox.upgrade() {
            self.class.vacate(&mailbox);
        }
    }
}
