//! Telling the store of connections that have ended. It may be away meanwhile; nobody waits for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Identities;
use crate::backoff::Backoff;
use crate::identity::Identity;
use crate::ids::ConnectionId;
use crate::store::StoreError;

/// Registrations whose end waits for the store. Beyond it they are left: a ring for them that is not answered ends them.
const WAITING: usize = 100_000;

/// How many ends are told at a time.
const AT_A_TIME: usize = 32;

/// How long a server that ends waits for the store to learn of its last connections.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who is to be told of.
#[derive(Default)]
pub(super) struct Leaving {
    queue: Mutex<VecDeque<(ConnectionId, Identity)>>,
    under_way: AtomicUsize,
    wake: Notify,
}

impl Leaving {
    pub(super) fn push(&self, connection: ConnectionId, identity: Identity) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() < WAITING {
            queue.push_back((connection, identity));
            self.wake.notify_one();
        }
    }

    async fn next(&self) -> Vec<(ConnectionId, Identity)> {
        loop {
            {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                let count = queue.len().min(AT_A_TIME);
                if count > 0 {
                    self.under_way.store(count, Ordering::Release);
                    return queue.drain(..count).collect();
                }
                self.under_way.store(0, Ordering::Release);
            }
            self.wake.notified().await;
        }
    }

    fn is_empty(&self) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.is_empty() && self.under_way.load(Ordering::Acquire) == 0
    }
}

impl Identities {
    /// Tells the store of this server's connections that have ended, and of others that did not answer a ring, for ever.
    pub(super) async fn see_off(self: Arc<Self>) {
        loop {
            let gone = tokio::select! {
                gone = self.leaving.next() => gone,
                gone = self.local.missing_holders() => gone,
            };
            for some in gone.chunks(AT_A_TIME) {
                futures_util::future::join_all(some.iter().map(|(holder, identity)| self.forget(*holder, identity)))
                    .await;
            }
        }
    }

    async fn forget(&self, holder: ConnectionId, identity: &Identity) {
        let mut backoff = Backoff::new();
        // Not if it has come back meanwhile, which it must not find undone.
        while self.held.begin_forgetting(holder, identity) {
            let forgotten = self.store.unregister(identity, holder).await;
            self.held.end_forgetting(holder, identity);
            if !matches!(forgotten, Err(StoreError::Unavailable(_))) {
                break;
            }
            backoff.pause().await;
        }
    }

    /// The server ends: lets the store learn of its last connections, if it is there.
    pub(crate) async fn close(&self) {
        let told = async {
            while !self.leaving.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(FAREWELL, told).await.is_err() {
            tracing::warn!("the identity store has not learned of all connections that ended");
        }
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}
