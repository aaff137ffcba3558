//! Bringing what waits in a mailbox to one connection that holds the identity: one after the other, each when the handler
//! of the one before has returned. They are handled when what the handlers have sent is written to the socket, so that a
//! slow client holds up its own mailbox, and a client that was cut off finds what it did not get.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use super::Identities;
use super::held::Seen;
use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::connection::{Connection, Mark, ServedPlace};
use crate::identity::{Identity, Notification, NotificationId};
use crate::mailbox::{Outcome, Work};
use crate::rate::Admitted;
use crate::store::{Failed, StoreError, Waiting};

/// How many notifications are taken out of the mailbox at a time. After a crash so many may come again at the most.
const BATCH: usize = 16;

/// How many registrations of one controller may have a batch in their hands.
pub(super) const CARRIED: usize = 128;

/// How often a mailbox is looked into without a ring. Rings are lost only together with events, which is rare and counted.
const LOOK: Duration = Duration::from_secs(5 * 60);

/// Bounds what is out of the mailboxes of one controller at a time, and waits for its handlers.
pub(crate) struct Postman(Semaphore);

impl Postman {
    pub(crate) fn new() -> Self {
        Postman(Semaphore::new(CARRIED))
    }
}

/// How a round ended.
enum Round {
    /// There is nothing more.
    Idle,
    /// There may be more.
    More,
    /// The connection has ended, or is about to.
    Over,
}

/// Serves one registration.
struct Pump<'p> {
    identities: &'p Identities,
    connection: &'p Connection,
    identity: &'p Identity,
    bell: &'p Arc<Bell>,
    postman: &'p Postman,
    /// The last one whose handler has returned, which the store is still to be told.
    handled: Option<(NotificationId, Mark)>,
    /// How many that are.
    count: usize,
}

impl Identities {
    /// Starts the task that serves one registration, which has a place of the connection until it ends.
    pub(super) fn pump(
        self: &Arc<Self>,
        connection: Arc<Connection>,
        identity: Identity,
        bell: Arc<Bell>,
        postman: Arc<Postman>,
        place: ServedPlace,
    ) {
        let identities = Arc::clone(self);
        #[expect(clippy::disallowed_methods, reason = "it ends with its registration, whose place it holds")]
        tokio::spawn(async move {
            let _place = place;
            let (identities, connection) = (&*identities, &*connection);
            let (identity, bell, postman) = (&identity, &bell, &*postman);
            Pump { identities, connection, identity, bell, postman, handled: None, count: 0 }.run().await;
        });
    }
}

impl Pump<'_> {
    async fn run(&mut self) {
        let mut backoff = Backoff::new();
        while !self.bell.is_over() {
            match self.round().await {
                Ok(Round::More) => backoff.reset(),
                Ok(Round::Idle) => {
                    backoff.reset();
                    // Either way it is time to look.
                    let _ = tokio::time::timeout(LOOK, self.bell.rung()).await;
                }
                Ok(Round::Over) => return,
                Err(error) => {
                    if !matches!(error, StoreError::Unavailable(_)) && self.identities.lines.admit() == Admitted::Yes {
                        tracing::error!(identity = %self.identity, "a mailbox can not be read: {error}");
                    }
                    backoff.pause().await;
                }
            }
        }
    }

    /// Takes some notifications out of the mailbox, has them handled, and notes what was.
    async fn round(&mut self) -> Result<Round, StoreError> {
        // What the store could not be told the last time would come again.
        if !self.note().await? {
            return Ok(Round::Over);
        }
        let (id, store) = (self.connection.id, &self.identities.store);
        let Some(seen) = self.identities.held.look(id, self.identity, self.bell) else { return Ok(Round::Over) };
        // What is out of the mailboxes of one controller at a time is bounded; writing to a client is not waited for in it.
        let Ok(carrying) = self.postman.0.acquire().await else { return Ok(Round::Over) };
        let waiting = {
            let Ok(_turn) = self.identities.looking.acquire().await else { return Ok(Round::Over) };
            store.waiting(self.identity, id, BATCH).await?
        };
        let notifications = match waiting {
            Waiting::NotHolder => return self.recover(seen).await,
            Waiting::Entries(notifications) if notifications.is_empty() => return Ok(Round::Idle),
            Waiting::Entries(notifications) => notifications,
        };
        let went_well = self.hand_all(notifications).await?;
        drop(carrying);
        Ok(if self.note().await? && went_well { Round::More } else { Round::Over })
    }

    /// Has notifications handled, one after the other, until one is not.
    async fn hand_all(&mut self, notifications: Vec<Notification>) -> Result<bool, StoreError> {
        for notification in notifications {
            let id = notification.id;
            match self.hand(notification).await {
                Outcome::Handled(mark) => {
                    self.handled = Some((id, mark));
                    self.count += 1;
                }
                Outcome::Failed => {
                    self.fail(id).await?;
                    return Ok(false);
                }
                Outcome::Lost => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The store does not know the connection: it has been pushed out, or the store has lost it.
    async fn recover(&self, seen: Seen) -> Result<Round, StoreError> {
        let (identities, id, identity) = (self.identities, self.connection.id, self.identity);
        let terms = identities.held.terms(id, identity, self.bell);
        if let Some(terms) = &terms
            && identities.store.regain(identity, id, terms.clone()).await?
        {
            if self.bell.is_over() {
                // It was ended while the store was asked.
                identities.leaving.push(id, identity.clone());
                return Ok(Round::Over);
            }
            identities.metrics.identities_regained.count();
            return Ok(Round::More);
        }
        if !identities.held.end_unless_asked(id, identity, self.bell, seen) {
            // The guest registers it anew; the bell rings when that is done.
            return Ok(Round::Idle);
        }
        // Without terms its identity has lapsed, and nobody took its place.
        if terms.is_some() {
            identities.metrics.identities_replaced.count();
            identities.local.put(id, Work::Replaced { to: id.key(), identity: identity.clone() });
        }
        Ok(Round::Over)
    }

    /// Has one notification handled.
    async fn hand(&self, notification: Notification) -> Outcome {
        // Who has unregistered meanwhile gets no more, here and by the instance; it may be served anew by another.
        if self.bell.is_over() {
            return Outcome::Lost;
        }
        let (done, outcome) = oneshot::channel();
        let (id, identity, bell) = (self.connection.id, self.identity.clone(), Arc::clone(self.bell));
        if !self.identities.local.put(id, Work::Notify { to: id.key(), identity, notification, bell, done }) {
            return Outcome::Lost;
        }
        // An instance that ended in a panic says nothing.
        outcome.await.unwrap_or(Outcome::Lost)
    }

    /// Tells the store what has been handled. False: the connection has ended before the client was sent all of it, and
    /// it is to come again.
    async fn note(&mut self) -> Result<bool, StoreError> {
        let Some((upto, mark)) = self.handled else { return Ok(true) };
        if !self.connection.written(mark).await {
            return Ok(false);
        }
        // No holder any more: the next round finds out.
        let identities = self.identities;
        if identities.store.handled(self.identity, self.connection.id, upto).await? {
            identities.held.renewed(self.connection.id, self.identity, self.bell);
        }
        identities.metrics.notifications_handled.add(self.count);
        (self.handled, self.count) = (None, 0);
        Ok(true)
    }

    async fn fail(&self, notification: NotificationId) -> Result<(), StoreError> {
        let identities = self.identities;
        if identities.store.failed(self.identity, notification).await? == Failed::SetAside {
            identities.metrics.notifications_set_aside.count();
            if identities.lines.admit() == Admitted::Yes {
                tracing::error!(identity = %self.identity, %notification, "set aside: handlers have failed on it too often");
            }
        }
        Ok(())
    }
}
