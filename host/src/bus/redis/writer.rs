//! Brings the backlog to Redis, one batch after the other. A batch counts when Redis has confirmed it; when it is not known
//! whether Redis has it, it is sent again, and receivers sort out what they have had.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Pipeline, Value};

use super::Shared;
use super::backlog::Outgoing;
use super::entry;
use super::names::Stream;
use crate::backoff::Backoff;
use crate::link::LinkError;

/// How long a stream is kept that nobody writes to and nobody follows, in milliseconds. A server that lost its connection
/// finds what it missed for at least as long.
pub(super) const STREAM_LIFETIME: u64 = 10 * 60 * 1000;

/// What this task is called in the bus's health.
const PART: &str = "writer";

pub(super) async fn run(shared: Arc<Shared>) {
    let mut dialled = shared.link.dialled();
    let mut backoff = Backoff::new();
    let mut checked = true;
    loop {
        tokio::select! {
            () = shared.backlog.waits() => {}
            changed = dialled.changed() => {
                // The first connection of all: there is nothing that could have been lost.
                checked = changed.is_err();
                // A ring may have been lost with Redis.
                shared.local.ring_all();
            }
        }
        let done = async {
            if !checked {
                shared.check_what_was_confirmed().await?;
            }
            shared.write_batch().await
        };
        match done.await {
            Ok(()) => {
                checked = true;
                backoff.reset();
                shared.health.up(PART);
            }
            Err(error) => {
                shared.health.down(PART, &error.to_string());
                backoff.pause().await;
            }
        }
    }
}

impl Shared {
    /// Sends what comes next, and takes out of the backlog what Redis has confirmed.
    async fn write_batch(&self) -> Result<(), LinkError> {
        let batch = self.backlog.batch();
        if batch.is_empty() {
            return Ok(());
        }
        if !self.link.is_cluster() {
            return self.write(&batch).await;
        }
        // Commands of one transaction have to be in one slot. Streams do not wait for each other's nodes.
        let mut groups: HashMap<&Stream, Vec<Arc<Outgoing>>> = HashMap::new();
        for outgoing in &batch {
            groups.entry(&outgoing.stream).or_default().push(Arc::clone(outgoing));
        }
        let written = join_all(groups.values().map(|group| self.write(group))).await;
        written.into_iter().collect()
    }

    /// Sends events whose streams are on one node: all of them or none.
    async fn write(&self, batch: &[Arc<Outgoing>]) -> Result<(), LinkError> {
        let mut pipeline = Pipeline::with_capacity(batch.len());
        if batch.len() > 1 {
            pipeline.atomic();
        }
        let mut key = String::new();
        for outgoing in batch {
            key = self.names.stream(&outgoing.stream);
            let mut command = redis::cmd("XADD");
            command.arg(&key).arg("MAXLEN").arg("~").arg(self.settings.redis_window).arg("*");
            entry::write(&outgoing.body, outgoing.origin, &mut command);
            pipeline.add_command(command);
        }
        // Streams that nobody here follows do not outlive those who do.
        let mut renewed: Vec<&Stream> = Vec::new();
        for outgoing in batch {
            if !self.follows(&outgoing.stream) && !renewed.contains(&&outgoing.stream) {
                renewed.push(&outgoing.stream);
            }
        }
        for stream in &renewed {
            pipeline.cmd("PEXPIRE").arg(self.names.stream(stream)).arg(STREAM_LIFETIME);
        }
        let answers = self.link.pipeline(&key, &mut pipeline).await?;
        if answers.len() != batch.len() + renewed.len() {
            return Err(LinkError::away("Redis has aborted a transaction"));
        }
        let mut done = Vec::with_capacity(batch.len());
        for (outgoing, answer) in batch.iter().zip(answers) {
            let id = match answer {
                Ok(Value::BulkString(id)) => String::from_utf8(id).ok(),
                Ok(_) => None,
                Err(error) if error.code() == Some("OOM") => return Err(LinkError::away("Redis is out of memory")),
                Err(error) => {
                    // A key of another type in the stream's place, or a user who may not write: waiting would hold up
                    // everything behind it.
                    self.metrics.events_lost.count();
                    tracing::error!(stream = self.names.stream(&outgoing.stream), "redis: an event is lost: {error}");
                    None
                }
            };
            done.push((Arc::clone(outgoing), id));
        }
        self.backlog.done(&done);
        for outgoing in batch {
            if let Stream::Server(server) = outgoing.stream {
                self.roster.written_to(server);
            }
        }
        Ok(())
    }

    /// After a new connection: looks whether Redis still has what it has confirmed, and sends again what it has not.
    async fn check_what_was_confirmed(&self) -> Result<(), LinkError> {
        let mut lost = Vec::new();
        for (stream, id) in self.backlog.confirmed() {
            let key = self.names.stream(&stream);
            let there: Vec<Value> = self.link.query(&key, redis::cmd("XRANGE").arg(&key).arg(&id).arg(&id)).await?;
            if there.is_empty() {
                lost.push(stream);
            }
        }
        let again = if lost.is_empty() { 0 } else { self.backlog.send_again(&lost) };
        if again > 0 {
            self.metrics.events_sent_again.add(again);
            tracing::info!(events = again, "redis: sending again what it may have lost");
        }
        Ok(())
    }
}
