//! Notifications from other programs: entries of the stream `P:notify`, each taken by one server. An entry is removed when
//! its notification is stored; if the server that took it ends before that, another one takes it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::{Pipeline, Value};
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::entry::{self, Body, Unreadable};
use super::order::{Appetite, Position, weight};
use crate::backoff::Backoff;
use crate::identity::Identity;
use crate::link::{LinkError, OwnLine, PATIENCE, Said};
use crate::message::SharedEvent;

/// All servers take from the stream as one group with one consumer: who ends leaves nothing behind.
const GROUP: &str = "lakou";

/// How long Redis holds back its answer when there is nothing, in milliseconds.
const BLOCK: u64 = 1000;

/// After so long, in milliseconds, an entry that was taken counts as left behind.
const LEFT_BEHIND: u64 = 30_000;

/// How often it is looked for such entries, and whether the stream is at its end.
const LOOK: Duration = Duration::from_secs(5);

/// What this task is called in the bus's health.
const PART: &str = "notices";

/// A notification that another program wants stored.
pub(crate) struct Notice {
    pub(crate) identity: Identity,
    pub(crate) event: SharedEvent,
    /// Told when it is stored, or never can be. Dropped: it is to be taken again.
    pub(crate) done: oneshot::Sender<()>,
}

/// Takes notices, for ever, or until nobody wants them.
pub(super) async fn run(shared: Arc<Shared>, wanted: mpsc::Sender<Notice>) {
    let mut backoff = Backoff::new();
    while !wanted.is_closed() {
        let Err(error) = shared.take_notices(&wanted, &mut backoff).await;
        shared.health.down(PART, &error.to_string());
        backoff.pause().await;
    }
}

impl Shared {
    async fn take_notices(
        &self,
        wanted: &mpsc::Sender<Notice>,
        backoff: &mut Backoff,
    ) -> Result<std::convert::Infallible, LinkError> {
        let key = self.names.notices();
        let mut create = redis::pipe();
        create.cmd("XGROUP").arg("CREATE").arg(&key).arg(GROUP).arg("0").arg("MKSTREAM");
        for answer in self.link.pipeline(&key, &mut create).await? {
            if let Err(error) = answer
                && Said::of(&error) != Said::GroupExists
            {
                return Err(LinkError::away(format!("{key}: {error}")));
            }
        }
        let mut line = self.link.dial(&key, Duration::from_millis(BLOCK) + PATIENCE).await?;
        self.health.up(PART);
        let mut looked: Option<Instant> = None;
        let mut appetite = Appetite::new();
        loop {
            let entries = if looked.is_none_or(|looked| looked.elapsed() > LOOK) {
                looked = Some(Instant::now());
                if self.look_at(&key, 0).await?.is_none_or(|looked| looked.mended) {
                    return Err(LinkError::away(format!("{key} is looked at anew")));
                }
                self.left_behind(&mut line, &key, appetite.count()).await?
            } else {
                self.fresh(&mut line, &key, appetite.count()).await?
            };
            appetite.had(bytes(&entries), entries.len() >= appetite.count());
            backoff.reset();
            self.pass_on(&key, entries, wanted).await?;
        }
    }

    async fn fresh(&self, line: &mut OwnLine, key: &str, count: usize) -> Result<Vec<Value>, LinkError> {
        let mut read = Pipeline::new();
        read.cmd("XREADGROUP").arg("GROUP").arg(GROUP).arg(GROUP).arg("COUNT").arg(count);
        read.arg("BLOCK").arg(BLOCK).arg("STREAMS").arg(key).arg(">");
        // One stream: [[key, entries]].
        let answer = line.pipeline(&read).await?.pop();
        let stream = items(answer.unwrap_or_default()).pop();
        Ok(items(stream.and_then(|stream| items(stream).pop()).unwrap_or_default()))
    }

    async fn left_behind(&self, line: &mut OwnLine, key: &str, count: usize) -> Result<Vec<Value>, LinkError> {
        let mut claim = Pipeline::new();
        claim.cmd("XAUTOCLAIM").arg(key).arg(GROUP).arg(GROUP).arg(LEFT_BEHIND).arg("0-0").arg("COUNT").arg(count);
        // [where to go on, entries, entries that are gone].
        let answer = items(line.pipeline(&claim).await?.pop().unwrap_or_default());
        Ok(items(answer.into_iter().nth(1).unwrap_or_default()))
    }

    /// Has entries stored in the order of the stream, and removes those that were.
    async fn pass_on(&self, key: &str, entries: Vec<Value>, wanted: &mpsc::Sender<Notice>) -> Result<(), LinkError> {
        let mut done = Vec::new();
        let mut waiting = HashMap::new();
        for entry in entries {
            let Ok([Value::BulkString(id), Value::Array(fields)]) = <[Value; 2]>::try_from(items(entry)) else {
                continue;
            };
            let at = Position::parse(&id).unwrap_or_default();
            match entry::read(fields, self.settings.max_event) {
                Ok((Body::Notify { identity, event }, _)) => {
                    let (told, stored) = oneshot::channel();
                    if wanted.send(Notice { identity, event, done: told }).await.is_err() {
                        return Err(LinkError::away("the server ends"));
                    }
                    waiting.insert(at.to_string(), stored);
                }
                Ok(_) => {
                    self.skip(key, at, &Unreadable::Malformed("it is no notification".into()));
                    done.push(at.to_string());
                }
                Err(unreadable) => {
                    self.skip(key, at, &unreadable);
                    done.push(at.to_string());
                }
            }
        }
        let stored =
            join_all(waiting.into_iter().map(|(id, stored)| async { stored.await.is_ok().then_some(id) })).await;
        done.extend(stored.into_iter().flatten());
        if done.is_empty() {
            return Ok(());
        }
        let mut remove = redis::pipe();
        remove.atomic().cmd("XACK").arg(key).arg(GROUP).arg(&done).cmd("XDEL").arg(key).arg(&done);
        self.link.pipeline(key, &mut remove).await.map(drop)
    }
}

fn bytes(entries: &[Value]) -> usize {
    let fields = |entry: &Value| match entry {
        Value::Array(pair) => {
            pair.iter().map(|part| if let Value::Array(fields) = part { weight(fields) } else { 0 }).sum()
        }
        _ => 0,
    };
    entries.iter().map(fields).sum()
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
