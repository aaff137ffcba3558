//! Connections that a controller asks for to servers elsewhere, as it has asked, and how many it has of them. Opening them is
//! left to `outward`, which takes them from a queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::class::Class;
use crate::connection::Connection;
use crate::destination::Target;
use crate::ids::ConnectionId;
use crate::outbound::Outbound;
use crate::text::{cut, printable};

/// One connection to be opened.
pub(crate) struct Dial {
    pub(crate) place: Place,
    pub(crate) outbound: Arc<Outbound>,
    /// With whose end it ends.
    pub(crate) owner: Arc<Connection>,
    pub(crate) target: Target,
    /// The URL, and the header fields that the controller adds.
    pub(crate) request: http::Request<()>,
    pub(crate) subprotocols: Vec<String>,
    /// What its object is told.
    pub(crate) params: Vec<(String, String)>,
    /// Who waits for it; none: nobody does, and it is opened again and again.
    pub(crate) answer: Option<oneshot::Sender<Result<(), NotConnected>>>,
}

/// Why there is no connection, as the controller is told.
#[derive(Debug)]
pub(crate) enum NotConnected {
    Denied(String),
    Unavailable(String),
}

/// The connections of one controller that are open or are to be opened.
#[derive(Debug, Default)]
pub(super) struct Outward(Mutex<HashMap<ConnectionId, Arc<Notify>>>);

/// One of them, until it is dropped.
pub(crate) struct Place {
    pub(crate) class: Arc<Class>,
    pub(crate) id: ConnectionId,
    released: Arc<Notify>,
}

impl Place {
    /// Resolves when the controller does not want the connection any more.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe until it has resolved, which it does once.
    pub(crate) async fn released(&self) {
        self.released.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.class.outward.lock().remove(&self.id);
        self.class.environment.metrics.outward.uncount();
    }
}

impl Outward {
    /// Lets go of a connection, if there is such a one.
    pub(super) fn release(&self, id: ConnectionId) {
        if let Some(released) = self.lock().get(&id) {
            released.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Class {
    /// Room for one more connection outwards, if there is any.
    pub(super) fn outward_place(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.outward.lock();
        if open.len() >= self.limits.max_outward {
            return None;
        }
        let (id, released) = (ConnectionId::random(self.environment.server), Arc::new(Notify::new()));
        open.insert(id, Arc::clone(&released));
        self.environment.metrics.outward.count();
        Some(Place { class: Arc::clone(self), id, released })
    }

    /// An attempt has failed: counted, and logged.
    pub(crate) fn not_connected(&self, target: &Target, why: &str) {
        self.environment.metrics.outward_failed.count();
        if self.output.admit() {
            tracing::warn!(controller = %self.name, "not connected to {target}: {}", cut(&printable(why), 500));
        }
    }
}
