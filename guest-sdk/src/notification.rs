//! The notification that is being handled: how a method knows that an event is one, and which.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Which notification an event is: the identity it is for, and its id within that identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Notification {
    identity: String,
    id: NotificationId,
}

impl Notification {
    pub(crate) fn new(identity: String, id: NotificationId) -> Self {
        Self { identity, id }
    }

    /// The identity, as this connection has registered as it.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The same id again is the same notification again.
    pub fn id(&self) -> &NotificationId {
        &self.id
    }
}

/// Tells one notification of an identity from the others. It is opaque; a later notification never has the id of an
/// earlier one. Keep it, compare it, hand it to the client: a client that has seen it can leave out what comes twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationId(String);

impl NotificationId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for NotificationId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for NotificationId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The notification that the running method handles; `None` where it was called by another event or by a client.
///
/// A notification may come again, after a failure, under the same id. A method that must not do its work twice asks for
/// the id and keeps it with the work, or sends it along.
///
/// ```
/// use lakou_sdk::{Controller, IdentityOptions, Request, Result, Socket, controller, json, notification};
///
/// struct Inbox {
///     socket: Socket,
/// }
///
/// #[controller(path = "/inbox/{user}")]
/// impl Controller for Inbox {
///     fn open(socket: Socket, request: Request) -> Self {
///         let user = request.param("user").unwrap_or("nobody");
///         if let Err(fault) = socket.register_as(&format!("user:{user}"), IdentityOptions::new()) {
///             eprintln!("{user} will not be notified: {fault}");
///         }
///         Self { socket }
///     }
///
///     #[event]
///     fn mail(&mut self, subject: &str) -> Result {
///         let id = notification().map(|notification| notification.id().clone());
///         self.socket.send(json!({ "mail": subject, "id": id }))
///     }
/// }
///
/// # use lakou_sdk::testing::Host;
/// let host = Host::new();
/// let ann = host.connect::<Inbox>("/inbox/ann").expect("open to all");
/// assert!(host.notify("user:ann", InboxEvents::mail("tea?")));
/// host.broadcast("inbox", InboxEvents::mail("to all"));
/// let [mail, to_all] = &ann.json()[..] else { panic!("two of them") };
/// assert!(mail["id"].is_string() && to_all["id"].is_null());
/// ```
pub fn notification() -> Option<Notification> {
    CURRENT.with_borrow(Clone::clone)
}

thread_local! {
    static CURRENT: RefCell<Option<Notification>> = const { RefCell::new(None) };
}

/// As long as this lives, a notification is being handled.
#[derive(Debug)]
pub(crate) struct Handling(());

impl Handling {
    pub(crate) fn begin(notification: Notification) -> Self {
        CURRENT.set(Some(notification));
        Self(())
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}
