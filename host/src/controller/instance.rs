//! One instance: a store of a class that holds the objects of many connections, and the only task that enters it. It takes
//! its work from its mailbox, in order; messages that wait together enter the guest together.
//!
//! `objects` has the objects and what becomes of them when a call fails; `serving` makes the calls that one or many of
//! them are meant by. The task outlives its stores: a failed call, or a long rest, ends the store and not the instance.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tracing::Instrument;

use self::living::{Living, NoStore};
use self::objects::{Being, Failed, Object};
use super::class::Class;
use crate::closing::{CloseCause, Closing};
use crate::connection::Connection;
use crate::ids::ConnectionKey;
use crate::mailbox::{Drain, Mailbox, NotAccepted, Outcome, Work};
use crate::message::SharedEvent;
use crate::request::{Acceptance, Request};
use crate::shutdown::Alive;

mod living;
mod lower;
mod objects;
mod serving;

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
        asleep: 0,
        restless: Vec::new(),
        draining: None,
        _alive: environment.alive.clone(),
    };
    let span = tracing::debug_span!("instance", controller = %class.name);
    #[expect(clippy::disallowed_methods, reason = "it ends with its mailbox, and holds `alive`")]
    tokio::spawn(instance.run(receiver).instrument(span));
    mailbox
}

struct Instance {
    class: Arc<Class>,
    /// Weak, because the instance ends when nobody else can put anything in.
    mailbox: Weak<Mailbox>,
    living: Option<Living>,
    objects: HashMap<ConnectionKey, Object>,
    /// How many of them are only saved state at the moment.
    asleep: usize,
    /// Those among them whose timers ended with the store: they set them again when they are woken, which is soon.
    restless: Vec<ConnectionKey>,
    draining: Option<Drain>,
    _alive: Alive,
}

impl Instance {
    async fn run(mut self, mut receiver: UnboundedReceiver<Work>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while self.next(&mut receiver, &mut waiting).await > 0 {
            if waiting.len() < BATCH && waiting.iter().any(|work| matches!(work, Work::Receive { .. })) {
                // Sessions that are ready to run may be about to add to the batch. (Who emits has put in all it has.)
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

    /// Waits for something to do. If it is long in coming, the objects are put to sleep meanwhile.
    async fn next(&mut self, receiver: &mut UnboundedReceiver<Work>, waiting: &mut Vec<Work>) -> usize {
        if self.class.resumable && self.living.is_some() {
            let next = receiver.recv_many(waiting, BATCH);
            match tokio::time::timeout(self.class.limits.hibernate_after, next).await {
                Ok(count) => return count,
                Err(_elapsed) => {
                    self.hibernate().await;
                    self.wake_restless().await;
                }
            }
        }
        receiver.recv_many(waiting, BATCH).await
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
        self.wake_restless().await;
    }

    /// Each failure on the way, which may make others restless, takes an object away: it ends.
    async fn wake_restless(&mut self) {
        while !self.restless.is_empty() {
            let restless = std::mem::take(&mut self.restless);
            self.wake_all(&restless).await;
        }
    }

    async fn work(&mut self, work: Work) {
        match work {
            Work::Connect { request, answer } => self.connect(&request, answer).await,
            Work::Open { connection, request } => self.open(connection, request).await,
            Work::Deliver { to, event, from } => {
                self.taken(&event);
                self.deliver(to, event, from).await;
            }
            Work::Tick { to, event, waits, place } => {
                waits.store(false, Ordering::Release);
                drop(place);
                self.deliver_to(vec![to], &event).await;
            }
            Work::Undelivered { to, target, event } => {
                self.taken(&event);
                self.undelivered(to, target, &event).await;
            }
            Work::Notify { to, identity, notification, bell, done } => {
                let outcome =
                    if bell.is_over() { Outcome::Lost } else { self.notify(to, &identity, &notification).await };
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
        let decided = self.settle(called, "connect").map_err(|Failed { .. }| NotAccepted::Failed)?;
        decided.map_err(|refusal| {
            self.class.breaker.welcomed();
            NotAccepted::Refused(refusal)
        })
    }

    async fn open(&mut self, connection: Arc<Connection>, request: Arc<Request>) {
        let closing = match self.live().await {
            Ok(()) => None,
            Err(NoStore::NoRoom) => Some(Closing::of(CloseCause::NoRoom)),
            Err(NoStore::Failed) => Some(Closing::of(CloseCause::Failed)),
        };
        if let Some(closing) = closing {
            connection.close(closing);
            return self.class.environment.end_connection(&connection);
        }
        if self.class.resumable && connection.has_saved() {
            return self.reopen(connection, request).await;
        }
        let (Some(living), Some(mailbox)) = (&mut self.living, self.mailbox.upgrade()) else { return };
        let id = connection.id;
        // Reachable before its constructor runs: what the constructor emits may be answered at once.
        self.class.environment.local.add_connection(id, &mailbox);
        let called = living.open(&connection, &request).await;
        match self.settle(called, "open") {
            Ok(handle) => {
                self.class.breaker.welcomed();
                if let Some(drain) = self.draining {
                    connection.close_at(drain.moment(id), Closing::of(CloseCause::Stopping));
                }
                // Only to resume it: most classes never need it again.
                let request = self.class.resumable.then_some(request);
                self.objects.insert(id.key(), Object { being: Being::Awake(handle), connection, request });
            }
            Err(Failed { .. }) => {
                connection.close(Closing::of(CloseCause::Failed));
                self.class.environment.end_connection(&connection);
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
            object.connection.close(Closing::of(CloseCause::Failed));
            environment.end_connection(&object.connection);
        }
        if let Some(mailbox) = self.mailbox.upgrade() {
            self.class.vacate(&mailbox);
        }
    }
}
