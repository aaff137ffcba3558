//! Bringing what waits in a mailbox to one connection that holds the identity: one after the other, each when the handler
//! of the one before has returned.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Identities;
use crate::backoff::Backoff;
use crate::bus::Bell;
use crate::connection::Connection;
use crate::identity::{Identity, Notification, NotificationId};
use crate::mailbox::{Outcome, Work};
use crate::rate::Admitted;
use crate::store::{Failed, StoreError, Waiting};

/// How many notifications are taken out of the mailbox at a time. After a crash so many may come again at the most.
const BATCH: usize = 16;

/// How often a mailbox is looked into without a ring. Rings are lost only together with events, which is rare and counted.
const LOOK: Duration = Duration::from_secs(5 * 60);

/// How a round ended.
enum Round {
    /// There is nothing more.
    Idle,
    /// There may be more.
    More,
    /// The connection is no holder any more.
    Replaced,
    /// The connection has ended, or is about to.
    Over,
}

impl Identities {
    /// Starts the task that serves one registration.
    pub(super) fn pump(self: &Arc<Self>, connection: Arc<Connection>, identity: Identity, bell: Arc<Bell>) {
        let identities = Arc::clone(self);
        tokio::spawn(async move { identities.serve(&connection, &identity, &bell).await });
    }

    async fn serve(&self, connection: &Connection, identity: &Identity, bell: &Bell) {
        let mut backoff = Backoff::new();
        loop {
            if bell.is_over() {
                return;
            }
            match self.round(connection, identity).await {
                Ok(Round::More) => backoff.reset(),
                Ok(Round::Idle) => {
                    backoff.reset();
                    // Either way it is time to look.
                    let _ = tokio::time::timeout(LOOK, bell.rung()).await;
                }
                Ok(Round::Replaced) => {
                    if !bell.is_over() {
                        self.let_go(connection.id, identity);
                        self.metrics.identities_replaced.count();
                        self.local
                            .put(connection.id, Work::Replaced { to: connection.id.key(), identity: identity.clone() });
                    }
                    return;
                }
                Ok(Round::Over) => return,
                Err(error) => {
                    if !matches!(error, StoreError::Unavailable(_)) && self.lines.admit() == Admitted::Yes {
                        tracing::error!(%identity, "a mailbox can not be read: {error}");
                    }
                    backoff.pause().await;
                }
            }
        }
    }

    /// Takes some notifications out of the mailbox, has them handled, and notes what was.
    async fn round(&self, connection: &Connection, identity: &Identity) -> Result<Round, StoreError> {
        let waiting = {
            let Ok(_turn) = self.looking.acquire().await else { return Ok(Round::Over) };
            self.store.waiting(identity, connection.id, BATCH).await?
        };
        let notifications = match waiting {
            Waiting::NotHolder => return Ok(Round::Replaced),
            Waiting::Entries(notifications) if notifications.is_empty() => return Ok(Round::Idle),
            Waiting::Entries(notifications) => notifications,
        };
        let mut handled = None;
        let mut next = Round::More;
        for notification in notifications {
            let id = notification.id;
            match self.hand(connection, identity, notification).await {
                Outcome::Handled => {
                    self.metrics.notifications_handled.count();
                    handled = Some(id);
                }
                Outcome::Failed => {
                    self.note(identity, connection, handled.take()).await?;
                    self.fail(identity, id).await?;
                    next = Round::Over;
                    break;
                }
                Outcome::Lost => {
                    next = Round::Over;
                    break;
                }
            }
        }
        self.note(identity, connection, handled).await?;
        Ok(next)
    }

    /// Has one notification handled.
    async fn hand(&self, connection: &Connection, identity: &Identity, notification: Notification) -> Outcome {
        let (done, outcome) = oneshot::channel();
        let (to, identity) = (connection.id.key(), identity.clone());
        if !self.local.put(connection.id, Work::Notify { to, identity, notification, done }) {
            return Outcome::Lost;
        }
        // An instance that ended in a panic says nothing.
        outcome.await.unwrap_or(Outcome::Lost)
    }

    async fn note(
        &self,
        identity: &Identity,
        connection: &Connection,
        upto: Option<NotificationId>,
    ) -> Result<(), StoreError> {
        let Some(upto) = upto else { return Ok(()) };
        // No holder any more: the next round finds out.
        self.store.handled(identity, connection.id, upto).await.map(drop)
    }

    async fn fail(&self, identity: &Identity, id: NotificationId) -> Result<(), StoreError> {
        if self.store.failed(identity, id).await? == Failed::SetAside {
            self.metrics.notifications_set_aside.count();
            if self.lines.admit() == Admitted::Yes {
                tracing::error!(%identity, notification = %id, "set aside: handlers have failed on it too often");
            }
        }
        Ok(())
    }
}
