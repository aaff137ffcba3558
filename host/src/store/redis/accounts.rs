//! What the identities of each owner cost in Redis. An identity and its owner's account may lie on different nodes of a
//! Cluster, so that no script can see both: a script on the identity says when what it costs has changed by a step, and the
//! account is told; it is behind by less than a step for each identity. An owner that has spent its limit is remembered for a moment, in
//! which its mailboxes take nothing more.
//!
//! With P for the prefix and NAME for the owner: `P:mailboxes:{NAME}` is a hash of identities and what they cost,
//! `P:mailboxes:{NAME}:lapsing` a sorted set of when they lapse in milliseconds, `P:mailboxes:{NAME}:sum` a hash of `bytes` and
//! `limit`.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::{Script, ScriptInvocation};

use super::Redis;
use super::reply::shape;
use crate::store::{IDENTITY_COST, Identity, Owner, StoreError};

/// How long an account that was full is taken for full without asking.
const FULL_FOR: Duration = Duration::from_secs(1);

/// Nobody is admitted by a Redis that has no memory left; but what leaves is told all the same.
static ADMIT: LazyLock<Script> = LazyLock::new(|| Script::new(concat!("#!lua flags=\n", include_str!("charge.lua"))));
static TELL: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!("#!lua flags=allow-oom\n", include_str!("charge.lua"))));

/// What a script on an identity has to say of what it costs: the owner, the bytes, and when it lapses in milliseconds since
/// 1970. An empty owner: nothing that the account would have to know.
pub(super) type Told = (String, u64, u64);

/// Owners whose account was full when it was last told of something, and what its limit was.
#[derive(Default)]
pub(super) struct FullAccounts(Mutex<HashMap<String, (Instant, u64)>>);

impl FullAccounts {
    fn note(&self, owner: &str, sum: u64, limit: u64) {
        let mut full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        full.retain(|_, (since, _)| since.elapsed() < FULL_FOR);
        if limit > 0 && sum >= limit {
            full.insert(owner.to_owned(), (Instant::now(), limit));
        } else {
            full.remove(owner);
        }
    }

    /// Who is taken for full.
    pub(super) fn names(&self) -> Vec<String> {
        let full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        full.iter().filter(|(_, (since, _))| since.elapsed() < FULL_FOR).map(|(name, _)| name.clone()).collect()
    }

    /// What such an owner's limit was.
    pub(super) fn limit(&self, owner: &str) -> u64 {
        let full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        full.get(owner).map_or(0, |(_, limit)| *limit)
    }
}

impl Redis {
    /// Has the owner pay for an identity that is about to be registered; `MailboxesFull` if it has no room for it.
    pub(super) async fn admit(&self, identity: &Identity, owner: &Owner, lifetime: u64) -> Result<(), StoreError> {
        let args = |call: &mut ScriptInvocation<'_>| {
            call.arg(identity.as_str()).arg(-1).arg(0).arg(lifetime).arg(owner.limit).arg(IDENTITY_COST);
        };
        match self.charge(&ADMIT, &owner.name, args).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::MailboxesFull(owner.limit)),
        }
    }

    /// Tells the account of an identity's owner what it costs now. If it can not be told, it is with the next step.
    pub(super) async fn tell(&self, identity: &Identity, (owner, bytes, lapses): Told) {
        if owner.is_empty() {
            return;
        }
        let args = |call: &mut ScriptInvocation<'_>| {
            call.arg(identity.as_str()).arg(bytes).arg(lapses).arg(0).arg(0).arg(IDENTITY_COST);
        };
        if let Ok(Some((sum, limit))) = self.charge(&TELL, &owner, args).await {
            self.full.note(&owner, sum, limit);
        }
    }

    async fn charge(
        &self,
        script: &Script,
        owner: &str,
        args: impl Fn(&mut ScriptInvocation<'_>) + Send + Sync,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let costs = format!("{}:mailboxes:{{{owner}}}", self.prefix);
        let [lapsing, sum] = ["lapsing", "sum"].map(|part| format!("{costs}:{part}"));
        let reply = self.link.call(script, &[&costs, &lapsing, &sum], args).await;
        shape(reply.map_err(|error| StoreError::of_redis(&error))?)
    }
}
