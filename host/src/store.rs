//! Identities: names that outlive connections, the connections registered as them, and their mailboxes. The trait is what controllers
//! register with and notify through; what they keep under keys is `keyvalue`, in the same places. `embedded` keeps them in a
//! file for one server, `redis` in Redis for all servers of an application. Calling handlers, and telling holders that
//! something waits, is left to those who use it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::ids::ConnectionId;
use crate::link::LinkError;
use crate::message::{Event, SharedEvent};

mod embedded;
pub(crate) mod keyvalue;
mod redis;

pub(crate) use self::embedded::Embedded;
pub(crate) use self::redis::Redis;
pub(crate) use crate::identity::{Identity, Notification, NotificationId};

/// What an operation promises: its answer comes when the store has it for good. A future that is dropped half-way may
/// still have its effect.
pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// How long a guest waits for the store at the most, and at the most half of the time that its call has: it is to hear that
/// the store is away, and not to fail because of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a store answers to a guest whose call has so much time.
pub(crate) async fn in_time<T>(
    time: Duration,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let patience = PATIENCE.min(time / 2);
    let late = || StoreError::Unavailable(format!("no answer within {patience:?}"));
    tokio::time::timeout(patience, asked).await.unwrap_or_else(|_elapsed| Err(late()))
}

/// Identities and their mailboxes.
///
/// An identity lapses when its lifetime has passed since the last registration or the last acknowledged notification.
/// From then on it is as if it had never been, its mailbox and its holders included.
pub(crate) trait Store: Send + Sync {
    /// Makes `connection` a holder of `identity`, the newest one. Beyond `max_connections` the oldest holders are pushed
    /// out, in the same step. Who is a holder already stays one and goes on where it was. A new identity for which its
    /// owner has no room is [`StoreError::MailboxesFull`].
    fn register<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, terms: Terms)
    -> Answer<'a, Registered>;

    /// As `register`, for who was a holder as far as it knows, and only if nobody has to go for it: the store may have lost
    /// what it knew, or have been told that the holder's server is dead. `false`: it has been pushed out.
    fn regain<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, terms: Terms) -> Answer<'a, bool>;

    /// The end of `register`; for who is no holder, nothing. The identity stays until it lapses. Also for a holder whose
    /// server has died: what only it has not handled waits until it is gone.
    fn unregister<'a>(&'a self, identity: &'a Identity, connection: ConnectionId) -> Answer<'a, ()>;

    /// Whether there is such an identity: somebody registered as it, and it has not lapsed.
    fn registered<'a>(&'a self, identity: &'a Identity) -> Answer<'a, bool>;

    /// Appends an event to the mailbox; `None` if there is no such identity. What does not fit any more is dropped, the
    /// oldest first. An event that would not fit an empty mailbox is [`StoreError::Invalid`], one for which the owner of
    /// the identity has no room [`StoreError::MailboxesFull`].
    fn notify<'a>(&'a self, identity: &'a Identity, event: &'a SharedEvent) -> Answer<'a, Option<Notified>>;

    /// What the holder has not handled yet, the oldest first: at most `most`, and not much more than [`FETCH_BYTES`].
    fn waiting<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, most: usize) -> Answer<'a, Waiting>;

    /// The connection has handled everything up to `upto`. What every holder has handled leaves the mailbox. `false`: it
    /// is no holder any more, or the identity has lapsed; what it has handled is handled all the same.
    fn handled<'a>(
        &'a self,
        identity: &'a Identity,
        connection: ConnectionId,
        upto: NotificationId,
    ) -> Answer<'a, bool>;

    /// A handler failed on this notification. Each time counts, whoever it was; after as many as [`Bounds::attempts`] it
    /// leaves the mailbox for everybody, and is kept among the last [`ASIDE_LIMIT`] that went the same way.
    fn failed<'a>(&'a self, identity: &'a Identity, id: NotificationId) -> Answer<'a, Failed>;
}

/// The controller that pays for an identity: the one that has registered it when it was new, until it lapses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) name: Arc<str>,
    /// What its identities and their mailboxes may cost together, in bytes.
    pub(crate) limit: u64,
}

/// On which terms a connection registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) owner: Owner,
    /// From a millisecond to ten years; what is outside is taken as the nearer of the two.
    pub(crate) lifetime: Duration,
    /// Holders at a time; 0 is taken as 1.
    pub(crate) max_connections: u32,
}

impl Terms {
    /// Far beyond use, and small enough that no sum of times overflows, here or in Redis.
    const LONGEST: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

    fn lifetime_millis(&self) -> u64 {
        u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX).clamp(1, Terms::LONGEST)
    }

    fn max_connections(&self) -> usize {
        usize::try_from(self.max_connections).unwrap_or(usize::MAX).max(1)
    }
}

/// How far one mailbox grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Notifications; beyond it the oldest are dropped.
    pub(crate) entries: u32,
    /// The sum of what the events cost; beyond it the oldest are dropped.
    pub(crate) bytes: u64,
    /// How often a handler may fail on a notification before that is set aside.
    pub(crate) attempts: u32,
}

impl Bounds {
    /// What the event counts for, if a mailbox can hold it at all: one that can not would only push out all others.
    fn admit(&self, event: &Event) -> Result<u64, StoreError> {
        let cost = event.cost() as u64;
        if cost <= self.bytes {
            return Ok(cost);
        }
        Err(StoreError::Invalid(format!("a notification of {cost} bytes: a mailbox has {}", self.bytes)))
    }
}

/// How much one fetch takes out of a mailbox before it stops; a single notification may be larger. Each registration may
/// hold as much while its handler works.
pub(crate) const FETCH_BYTES: u64 = 64 * 1024;

/// Notifications set aside that are kept for a look: enough to see what is wrong, and at most that many mailboxes' worth
/// of bytes are never reached by one faulty handler.
pub(crate) const ASIDE_LIMIT: u32 = 16;

/// What an identity costs its owner beside what is in its mailbox or set aside: about what both stores need for it.
const IDENTITY_COST: u64 = 256;

/// What came of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    /// Who is no holder any more because of it, the oldest first.
    pub(crate) pushed_out: Vec<ConnectionId>,
    /// How many notifications wait for the connection.
    pub(crate) waiting: u64,
}

/// What came of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notified {
    pub(crate) id: NotificationId,
    /// For whom it waits now, the oldest registration first.
    pub(crate) holders: Vec<ConnectionId>,
    /// How many older ones were dropped because of it.
    pub(crate) dropped: u64,
}

/// What waits for a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The connection is none.
    NotHolder,
    Entries(Vec<Notification>),
}

/// What happens to a notification on which a handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It stays where it is; so often have handlers failed on it by now.
    Again { attempts: u32 },
    /// It has left the mailbox.
    SetAside,
    /// It had left the mailbox before: handled by all, dropped, set aside or lapsed.
    Gone,
}

/// Why there is no answer. Each text is one line, fit for the log and for a guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The store is away, and may come back. The operation may have had its effect.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What was asked for can not be.
    #[error("{0}")]
    Invalid(String),
    /// The bucket has no room for the value; this is what it may hold, in bytes.
    #[error("the bucket is full: {0} bytes are what it may hold")]
    Full(u64),
    /// The owner of the identity has no room for it or for more in its mailbox; this is what all of them may cost, in bytes.
    #[error("the mailboxes of the controller are full: {0} bytes are what they may hold together")]
    MailboxesFull(u64),
    /// What is stored under this name was not written by this program.
    #[error("the store holds something else: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// An error with its causes, on one line that nothing in it can break.
    fn unavailable(cause: &dyn std::error::Error) -> Self {
        use crate::text::{cut, printable};
        StoreError::Unavailable(cut(&printable(&cause.to_string()), 500).to_owned())
    }

    /// An error of Redis: a key of a wrong type stays what it is, however often it is asked for.
    fn of_redis(cause: &LinkError) -> Self {
        match StoreError::unavailable(cause) {
            StoreError::Unavailable(text) if cause.is_wrong_type() => StoreError::Corrupt(text),
            error => error,
        }
    }
}

#[cfg(test)]
mod tests;
