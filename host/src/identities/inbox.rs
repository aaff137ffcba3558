//! Notifications that other programs leave in Redis: each is notified like a controller's, and is done when it is stored.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Identities;
use crate::backoff::Backoff;
use crate::bus::Notice;
use crate::rate::Admitted;
use crate::store::StoreError;

impl Identities {
    /// Stores what comes, in its order, for ever.
    pub(super) async fn take_in(self: Arc<Self>, mut notices: mpsc::Receiver<Notice>) {
        while let Some(Notice { identity, event, done }) = notices.recv().await {
            let mut backoff = Backoff::new();
            loop {
                match self.notify(&identity, &event).await {
                    Ok(true) => break,
                    Ok(false) => {
                        self.metrics.notifications_unknown.count();
                        if self.lines.admit() == Admitted::Yes {
                            tracing::warn!(%identity, event = event.name, "a notification from Redis is for nobody");
                        }
                        break;
                    }
                    Err(StoreError::Unavailable(_)) => backoff.pause().await,
                    Err(error) => {
                        if self.lines.admit() == Admitted::Yes {
                            tracing::warn!(%identity, "a notification from Redis can not be stored: {error}");
                        }
                        break;
                    }
                }
            }
            // Nobody waits for it if the connection to Redis was lost meanwhile; then it comes again.
            let _ = done.send(());
        }
    }
}
