//! How a holder of an identity learns that something has happened to it: each registration of this server has a bell, and
//! whoever knows rings it. A ring says no more than "look"; what there is to see is the matter of `identities`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::bell::Bell;
use crate::identity::Identity;
use crate::ids::ConnectionId;

/// Holders that are gone, which the store is still to be told of; beyond so many it finds out by itself, one by one.
const GONE: usize = 100_000;

/// The bells of this server.
#[derive(Default)]
pub(super) struct Bells {
    hung: Mutex<HashMap<(ConnectionId, Identity), Arc<Bell>>>,
    gone: Mutex<HashSet<(ConnectionId, Identity)>>,
    somebody_gone: Notify,
}

impl Bells {
    /// A new bell, in the place of an earlier one.
    pub(super) fn hang(&self, holder: ConnectionId, identity: &Identity) -> Arc<Bell> {
        let bell = Arc::new(Bell::default());
        self.hung().insert((holder, identity.clone()), Arc::clone(&bell));
        bell
    }

    pub(super) fn take_down(&self, holder: ConnectionId, identity: &Identity) {
        self.hung().remove(&(holder, identity.clone()));
    }

    /// Rings a bell of this server. If there is none, the holder is gone, and the store has to learn it.
    pub(super) fn ring(&self, holder: ConnectionId, identity: &Identity) {
        let bell = self.hung().get(&(holder, identity.clone())).cloned();
        match bell {
            Some(bell) => bell.ring(),
            None => self.miss(holder, identity),
        }
    }

    /// Rings all of them: rings may have been lost.
    pub(super) fn ring_all(&self) {
        for bell in self.hung().values() {
            bell.ring();
        }
    }

    /// A holder, of whatever server, is gone.
    pub(super) fn miss(&self, holder: ConnectionId, identity: &Identity) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if gone.len() < GONE {
            gone.insert((holder, identity.clone()));
            self.somebody_gone.notify_one();
        }
    }

    /// Waits for holders that are gone.
    pub(super) async fn missing(&self) -> Vec<(ConnectionId, Identity)> {
        loop {
            let gone = std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
            if !gone.is_empty() {
                return gone.into_iter().collect();
            }
            self.somebody_gone.notified().await;
        }
    }

    fn hung(&self) -> MutexGuard<'_, HashMap<(ConnectionId, Identity), Arc<Bell>>> {
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
