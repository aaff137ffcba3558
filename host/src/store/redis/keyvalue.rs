//! Keys and values in Redis: every operation is one script over the keys of one bucket, which lie in one slot of a Cluster.
//!
//! With P for the prefix and NAME for the controller: `P:kv:{NAME}` is a hash of the keys and their values, as they are;
//! `P:kv:{NAME}:order` a sorted set of the keys in the order of their bytes; `P:kv:{NAME}:lapsing` a sorted set of those that
//! lapse, by when in milliseconds; `P:kv:{NAME}:size` what all of it counts for. A bucket on one node is the price of
//! operations on all of it at once, and of pages that leave nothing out: keys spread over a Cluster could only be listed by
//! `SCAN`, node by node, in no order and of no one moment, and their sum would be known to nobody.

use futures_util::FutureExt;
use redis::{FromRedisValue, Script, ScriptInvocation};

use super::Redis;
use super::reply::shape;
use crate::store::keyvalue::{self, Bucket, Key, KeyValue, LOOK, Lifetime, Listing};
use crate::store::{Answer, StoreError};

macro_rules! scripts {
    ($($name:ident $flags:literal $file:literal;)+) => {
        $(static $name: std::sync::LazyLock<Script> = std::sync::LazyLock::new(|| {
            Script::new(concat!(
                "#!lua flags=", $flags, "\n", include_str!("keyvalue/bucket.lua"), include_str!($file)
            ))
        });)+
    };
}

scripts! {
    GET "no-writes" "keyvalue/get.lua";
    SET "" "keyvalue/set.lua";
    DELETE "allow-oom" "keyvalue/delete.lua";
    INCREMENT "" "keyvalue/increment.lua";
    SWAP "" "keyvalue/swap.lua";
    LIST "allow-oom" "keyvalue/list.lua";
}

/// What scripts say of a value for which the bucket has no room.
const FULL: i64 = 2;

impl Redis {
    async fn run_on<T: FromRedisValue>(
        &self,
        script: &Script,
        bucket: &Bucket,
        args: impl Fn(&mut ScriptInvocation<'_>) + Send + Sync,
    ) -> Result<T, StoreError> {
        // A controller's name can not end the hash tag.
        let values = format!("{}:kv:{{{}}}", self.prefix, bucket.name);
        let [order, lapsing, size] = ["order", "lapsing", "size"].map(|part| format!("{values}:{part}"));
        let reply = self.link.call(script, &[&values, &order, &lapsing, &size], args).await;
        shape(reply.map_err(|error| StoreError::of_redis(&error))?)
    }
}

impl KeyValue for Redis {
    fn get<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, Option<Vec<u8>>> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            call.arg(key.as_str());
        };
        self.run_on(&GET, bucket, args).boxed()
    }

    fn set<'a>(&'a self, bucket: &'a Bucket, key: &'a Key, value: Vec<u8>, lifetime: Lifetime) -> Answer<'a, ()> {
        async move {
            let args = |call: &mut ScriptInvocation<'_>| {
                call.arg(key.as_str()).arg(value.as_slice()).arg(millis(lifetime)).arg(bucket.limit);
            };
            done(self.run_on(&SET, bucket, args).await?, bucket).map(drop)
        }
        .boxed()
    }

    fn delete<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, bool> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            call.arg(key.as_str());
        };
        self.run_on(&DELETE, bucket, args).boxed()
    }

    fn exists<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, bool> {
        async move { Ok(self.get(bucket, key).await?.is_some()) }.boxed()
    }

    fn increment<'a>(&'a self, bucket: &'a Bucket, key: &'a Key, by: i64, lifetime: Lifetime) -> Answer<'a, i64> {
        async move {
            let args = |call: &mut ScriptInvocation<'_>| {
                call.arg(key.as_str()).arg(by).arg(millis(lifetime)).arg(bucket.limit);
            };
            // As text: a script's own numbers are exact to 2^53 only.
            let sum: String = self.run_on(&INCREMENT, bucket, args).await?;
            match sum.as_str() {
                "full" => Err(StoreError::Full(bucket.limit)),
                "no number" => Err(keyvalue::no_number()),
                "too large" => Err(keyvalue::too_large_a_sum()),
                sum => sum.parse().map_err(|_| StoreError::Corrupt(format!("the sum {sum:.40}"))),
            }
        }
        .boxed()
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        key: &'a Key,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        lifetime: Lifetime,
    ) -> Answer<'a, bool> {
        async move {
            let args = |call: &mut ScriptInvocation<'_>| {
                call.arg(key.as_str()).arg(u8::from(expected.is_some())).arg(expected.as_deref().unwrap_or_default());
                call.arg(u8::from(value.is_some())).arg(value.as_deref().unwrap_or_default());
                call.arg(millis(lifetime)).arg(bucket.limit);
            };
            done(self.run_on(&SWAP, bucket, args).await?, bucket)
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> Answer<'a, Listing> {
        let args = move |call: &mut ScriptInvocation<'_>| {
            // Compared here, by bytes: a script would compare as the locale of Redis has it.
            let from = match after.map(str::as_bytes).filter(|after| *after >= prefix.as_bytes()) {
                Some(after) => [b"(", after].concat(),
                None => [b"[", prefix.as_bytes()].concat(),
            };
            // No text in UTF-8 has this last byte, so it is behind all of them.
            call.arg(from).arg([b"(", prefix.as_bytes(), b"\xff"].concat()).arg(most).arg(LOOK);
        };
        async move {
            let (keys, last): (Vec<String>, String) = self.run_on(&LIST, bucket, args).await?;
            Ok(Listing { keys, next: Some(last).filter(|last| !last.is_empty()) })
        }
        .boxed()
    }
}

fn done(reply: i64, bucket: &Bucket) -> Result<bool, StoreError> {
    match reply {
        FULL => Err(StoreError::Full(bucket.limit)),
        reply => Ok(reply == 1),
    }
}

/// 0: without an end.
fn millis(lifetime: Lifetime) -> u64 {
    lifetime.millis().unwrap_or(0)
}
