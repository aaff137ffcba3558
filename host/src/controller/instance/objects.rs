//! The objects of an instance's connections, and how they come back: after a failure of another one, or a long rest, an
//! object is saved state until something is to be done with it.

use std::sync::Arc;

use wasmtime::component::ResourceAny;

use super::Instance;
use super::living::NoStore;
use crate::closing::{CloseCause, Closing};
use crate::connection::Connection;
use crate::controller::call::Ended;
use crate::ids::ConnectionKey;
use crate::limit::Limit;
use crate::request::Request;

/// One connection's object.
pub(super) struct Object {
    pub(super) being: Being,
    pub(super) connection: Arc<Connection>,
    /// What it is resumed with; none: its class can not be resumed.
    pub(super) request: Option<Arc<Request>>,
}

/// Where an object is.
pub(super) enum Being {
    /// In the guest.
    Awake(ResourceAny),
    /// In the connection's saved state.
    Asleep,
}

/// A call failed; what follows from it has been done.
pub(super) struct Failed {
    /// At which item of its batch, if the guest said so.
    pub(super) attended: Option<usize>,
}

impl Instance {
    /// The object of a connection in the guest, made anew if it is asleep. None: it is gone, now at the latest.
    pub(super) async fn wake(&mut self, key: ConnectionKey) -> Option<ResourceAny> {
        match self.objects.get(&key)?.being {
            Being::Awake(handle) => Some(handle),
            Being::Asleep => self.resume(key).await,
        }
    }

    /// Wakes all of these that are there.
    pub(super) async fn wake_all(&mut self, keys: &[ConnectionKey]) {
        // One that fails puts others to sleep, and is gone itself: this ends.
        while self.asleep > 0
            && let Some(key) = keys
                .iter()
                .find(|key| self.objects.get(key).is_some_and(|object| matches!(object.being, Being::Asleep)))
        {
            self.resume(*key).await;
        }
    }

    /// Makes the object of a service that has failed and saved something before.
    pub(super) async fn reopen(&mut self, connection: Arc<Connection>, request: Arc<Request>) {
        let (id, key) = (connection.id, connection.id.key());
        if let Some(mailbox) = self.mailbox.upgrade() {
            self.class.environment.local.add_connection(id, &mailbox);
        }
        if let Some(drain) = self.draining {
            connection.close_at(drain.moment(id), Closing::of(CloseCause::Stopping));
        }
        let kept = Arc::clone(&connection);
        self.objects.insert(key, Object { being: Being::Asleep, connection, request: Some(request) });
        self.asleep += 1;
        if self.resume(key).await.is_none() {
            // The next one begins from nothing.
            kept.forget_saved();
        }
    }

    async fn resume(&mut self, key: ConnectionKey) -> Option<ResourceAny> {
        let closing = match self.live().await {
            Ok(()) => None,
            Err(NoStore::NoRoom) => Some(Closing::of(CloseCause::NoRoom)),
            Err(NoStore::Failed) => Some(Closing::of(CloseCause::Failed)),
        };
        if let Some(closing) = closing {
            self.give_up(key, closing);
            return None;
        }
        let object = self.objects.get(&key)?;
        let (connection, request) = (Arc::clone(&object.connection), object.request.clone());
        let (Some(living), Some(request), Some(state)) = (&mut self.living, request, connection.saved()) else {
            self.give_up(key, Closing::of(CloseCause::InstanceLost));
            return None;
        };
        let called = living.resume(&connection, &request, &state).await;
        match self.settle(called, "resume").ok()? {
            Ok(handle) => {
                let object = self.objects.get_mut(&key)?;
                object.being = Being::Awake(handle);
                self.asleep -= 1;
                self.class.environment.metrics.resumed.count();
                Some(handle)
            }
            Err(reason) => {
                if self.class.output.admit() {
                    let reason = crate::text::cut(&crate::text::printable(&reason), 500).to_owned();
                    tracing::warn!(controller = %self.class.name, connection = %connection.id, "not resumed: {reason}");
                }
                self.give_up(key, Closing::of(CloseCause::InstanceLost));
                None
            }
        }
    }

    /// Gives the memory of the store back, if every object can be saved.
    pub(super) async fn hibernate(&mut self) {
        // A timer would end with its object.
        if self.objects.values().any(|object| object.connection.has_timers()) {
            return;
        }
        let mut states = Vec::with_capacity(self.objects.len());
        let keys: Vec<ConnectionKey> = self.objects.keys().copied().collect();
        let limit = self.class.limits.max_state;
        for key in keys {
            let Some(Object { being: Being::Awake(handle), connection, .. }) = self.objects.get(&key) else { continue };
            let (handle, connection) = (*handle, Arc::clone(connection));
            let Some(living) = &mut self.living else { return };
            let called = living.suspend(handle, connection.id).await;
            match self.settle(called, "suspend") {
                Ok(Some(state)) if state.len() <= limit => states.push((key, connection, state)),
                Ok(Some(state)) => {
                    let what = format_args!("an object suspended to {} bytes, over {limit}: it stays", state.len());
                    return self.class.hits.hit(Limit::State, what);
                }
                _ => return,
            }
        }
        for (key, connection, state) in states {
            connection.save(state.into());
            if let Some(object) = self.objects.get_mut(&key) {
                object.being = Being::Asleep;
                self.asleep += 1;
            }
        }
        self.living = None;
        self.class.environment.metrics.hibernations.count();
    }

    /// Takes the result of a call. A failure ends the store: those at fault are closed, the others sleep if they have saved
    /// something, and are closed otherwise.
    pub(super) fn settle<T>(&mut self, called: Result<T, Ended>, doing: &str) -> Result<T, Failed> {
        let ended = match called {
            Ok(value) => return Ok(value),
            Err(ended) => ended,
        };
        let Some(living) = self.living.take() else { return Err(Failed { attended: None }) };
        self.class.failed(ended, living.state(), doing);
        let batch = &living.state().batch;
        let at_fault = batch.at_fault();
        let restless = &mut self.restless;
        self.objects.retain(|key, object| {
            let connection = &object.connection;
            let closing = if at_fault.contains(&connection.id) {
                Closing::of(CloseCause::Failed)
            } else if object.request.is_some() && connection.has_saved() {
                object.being = Being::Asleep;
                if connection.has_timers() {
                    restless.push(*key);
                }
                return true;
            } else {
                Closing::of(CloseCause::InstanceLost)
            };
            connection.close(closing);
            self.class.environment.end_connection(connection);
            false
        });
        self.asleep = self.objects.len();
        Err(Failed { attended: batch.attended() })
    }

    /// The object is gone, and its connection is of no use without it.
    fn give_up(&mut self, key: ConnectionKey, closing: Closing) {
        let Some(object) = self.objects.remove(&key) else { return };
        if matches!(object.being, Being::Asleep) {
            self.asleep -= 1;
        }
        object.connection.close(closing);
        self.class.environment.end_connection(&object.connection);
    }
}
