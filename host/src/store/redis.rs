//! The store of an application on Redis: every operation is one Lua script, which touches the keys of one identity only, so
//! that it is atomic, on a Cluster too. How Redis is reached is `link`'s matter.
//!
//! Keys, with P for the prefix and NAME for the identity, percent-encoded so that it can not end the hash tag:
//! `P:identity:{NAME}` is a hash, with `lifetime` (ms), `most` (holders), `handled`, `last`, `bytes` (of the mailbox), `aside` (bytes of
//! those set aside), `owner`, `charged` and `known` (what its account was told, in steps, and of its end), a field `holder:CONNECTION` ("ORDER CURSOR") for
//! each holder and a field `failed:ID` for each notification that a handler failed on. The mailbox is the
//! sorted set `P:identity:{NAME}:mailbox` of notifications by their ids, each as "ID LENGTH NAMEARGS" with the length of the
//! name; the list `P:identity:{NAME}:aside` has those that were set aside. All three lapse at the same moment.

use std::sync::LazyLock;

use futures_util::FutureExt;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use redis::{FromRedisValue, Script, ScriptInvocation};

use super::{
    ASIDE_LIMIT, Answer, Bounds, FETCH_BYTES, Failed, Identity, Notification, NotificationId, Notified, Registered,
    Store, StoreError, Terms, Waiting,
};
use crate::ids::ConnectionId;
use crate::link::Link;
use crate::message::{Event, SharedEvent};

mod accounts;
mod keyvalue;
mod reply;

use accounts::{FullAccounts, Told};
use reply::{id, ids, shape};

/// Identities in Redis.
pub(crate) struct Redis {
    link: Link,
    prefix: String,
    bounds: Bounds,
    full: FullAccounts,
}

/// The common beginning goes before each script. `allow-oom`: what makes room may run when Redis has none.
macro_rules! scripts {
    ($($name:ident $flags:literal $file:literal;)+) => {
        $(static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!("#!lua flags=", $flags, "\n", include_str!("redis/identity.lua"), include_str!($file)))
        });)+
    };
}

scripts! {
    REGISTER "" "redis/register.lua";
    UNREGISTER "allow-oom" "redis/unregister.lua";
    REGISTERED "no-writes" "redis/registered.lua";
    NOTIFY "" "redis/notify.lua";
    WAITING "no-writes" "redis/waiting.lua";
    HANDLED "allow-oom" "redis/handled.lua";
    FAILED "allow-oom" "redis/failed.lua";
}

impl Redis {
    /// A store whose keys begin with `prefix`.
    pub(crate) fn new(link: Link, prefix: &str, bounds: Bounds) -> Self {
        Redis { link, prefix: prefix.to_owned(), bounds, full: FullAccounts::default() }
    }

    /// Runs a script on an identity, and takes its reply apart.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        identity: &Identity,
        args: impl Fn(&mut ScriptInvocation<'_>) + Send + Sync,
    ) -> Result<T, StoreError> {
        // In the host's interest alone: a space or a quote would do, but not in a shell.
        const ESCAPED: &AsciiSet = &CONTROLS.add(b'{').add(b'}').add(b'%').add(b' ').add(b'"').add(b'\'').add(b'\\');
        let key = format!("{}:identity:{{{}}}", self.prefix, utf8_percent_encode(identity.as_str(), ESCAPED));
        let (mailbox, aside) = (format!("{key}:mailbox"), format!("{key}:aside"));
        let reply = self.link.call(script, &[&key, &mailbox, &aside], args).await;
        shape(reply.map_err(|error| StoreError::of_redis(&error))?)
    }
}

impl Store for Redis {
    fn register<'a>(
        &'a self,
        identity: &'a Identity,
        connection: ConnectionId,
        terms: Terms,
    ) -> Answer<'a, Registered> {
        async move {
            self.admit(identity, &terms.owner, terms.lifetime_millis()).await?;
            let args = |call: &mut ScriptInvocation<'_>| {
                call.arg(connection.to_string()).arg(terms.lifetime_millis()).arg(terms.max_connections()).arg(0);
                call.arg(&*terms.owner.name);
            };
            let (waiting, pushed_out): (u64, Vec<String>) = self.run(&REGISTER, identity, args).await?;
            Ok(Registered { pushed_out: ids(pushed_out)?, waiting })
        }
        .boxed()
    }

    fn regain<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, terms: Terms) -> Answer<'a, bool> {
        async move {
            // Redis may have lost the account, too. Whoever was admitted once is not asked again.
            let _ = self.admit(identity, &terms.owner, terms.lifetime_millis()).await;
            let args = |call: &mut ScriptInvocation<'_>| {
                call.arg(connection.to_string()).arg(terms.lifetime_millis()).arg(terms.max_connections()).arg(1);
                call.arg(&*terms.owner.name);
            };
            let reply: Option<(u64, Vec<String>)> = self.run(&REGISTER, identity, args).await?;
            Ok(reply.is_some())
        }
        .boxed()
    }

    fn unregister<'a>(&'a self, identity: &'a Identity, connection: ConnectionId) -> Answer<'a, ()> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            call.arg(connection.to_string());
        };
        async move { self.run(&UNREGISTER, identity, args).await }.boxed()
    }

    fn registered<'a>(&'a self, identity: &'a Identity) -> Answer<'a, bool> {
        self.run(&REGISTERED, identity, |_| {}).boxed()
    }

    fn notify<'a>(&'a self, identity: &'a Identity, event: &'a SharedEvent) -> Answer<'a, Option<Notified>> {
        async move {
            let cost = self.bounds.admit(event)?;
            let full = self.full.names();
            let args = |call: &mut ScriptInvocation<'_>| {
                call.arg(&event.name).arg(&event.args).arg(cost).arg(self.bounds.entries).arg(self.bounds.bytes);
                call.arg(full.as_slice());
            };
            let reply: Option<(u64, u64, Vec<String>, Told)> = self.run(&NOTIFY, identity, args).await?;
            let Some((id, dropped, holders, told)) = reply else { return Ok(None) };
            if id == 0 {
                return Err(StoreError::MailboxesFull(self.full.limit(&told.0)));
            }
            self.tell(identity, told).await;
            Ok(Some(Notified { id: NotificationId::from_number(id), holders: ids(holders)?, dropped }))
        }
        .boxed()
    }

    fn waiting<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, most: usize) -> Answer<'a, Waiting> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            call.arg(connection.to_string()).arg(most).arg(FETCH_BYTES);
        };
        async move {
            let reply: Option<Vec<(String, String, String)>> = self.run(&WAITING, identity, args).await?;
            let Some(entries) = reply else { return Ok(Waiting::NotHolder) };
            let notification = |(at, name, args): (String, String, String)| {
                Ok(Notification { id: id(&at)?, event: SharedEvent::new(Event { name, args }) })
            };
            Ok(Waiting::Entries(entries.into_iter().map(notification).collect::<Result<_, StoreError>>()?))
        }
        .boxed()
    }

    fn handled<'a>(
        &'a self,
        identity: &'a Identity,
        connection: ConnectionId,
        upto: NotificationId,
    ) -> Answer<'a, bool> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            call.arg(connection.to_string()).arg(upto.number());
        };
        async move {
            let (is_holder, told): (bool, Told) = self.run(&HANDLED, identity, args).await?;
            self.tell(identity, told).await;
            Ok(is_holder)
        }
        .boxed()
    }

    fn failed<'a>(&'a self, identity: &'a Identity, id: NotificationId) -> Answer<'a, Failed> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            call.arg(id.number()).arg(self.bounds.attempts).arg(ASIDE_LIMIT);
        };
        async move {
            let reply: Option<u32> = self.run(&FAILED, identity, args).await?;
            Ok(match reply {
                None => Failed::Gone,
                Some(attempts) if attempts < self.bounds.attempts => Failed::Again { attempts },
                Some(_) => Failed::SetAside,
            })
        }
        .boxed()
    }
}
