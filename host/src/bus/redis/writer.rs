//! Brings the backlog to Redis, one batch after the other. A batch counts when Redis has confirmed it; when it is not known
//! whether Redis has it, it is sent again, and receivers sort out what they have had.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use redis::{Pipeline, Value};

use super::Shared;
use super::backlog::Outgoing;
use super::entry;
use super::names::Stream;
use crate::backoff::Backoff;
use crate::link::{LinkError, Said};

/// How long a stream is kept that nobody writes to and nobody follows, in milliseconds. A server that lost its connection
/// finds what it missed for at least as long.
pub(super) const STREAM_LIFETIME: u64 = 10 * 60 * 1000;

/// What this task is called in the bus's health.
pub(super) const PART: &str = "writer";

pub(super) async fn run(shared: Arc<Shared>) {
    let mut epochs = shared.link.epochs();
    let mut backoff = Backoff::new();
    loop {
        tokio::select! {
            () = shared.backlog.waits() => {}
            _ = epochs.changed() => {
                // A ring may have been lost with Redis.
                shared.local.ring_all();
            }
        }
        while let Err(error) = shared.write_batch().await {
            shared.health.down(PART, &error.to_string());
            backoff.pause().await;
        }
        backoff.reset();
        shared.health.up(PART);
    }
}

impl Shared {
    /// Sends what comes next, and takes out of the backlog what Redis has confirmed. Before anything else is sent, what
    /// Redis may have lost is sent again: receivers take what comes after something newer for a repetition.
    async fn write_batch(&self) -> Result<(), LinkError> {
        self.link.prove(&self.names.stream(&Stream::All)).await?;
        let epoch = self.link.epoch();
        if self.checked.load(Ordering::Acquire) != epoch {
            self.check_what_was_confirmed().await?;
            self.checked.store(epoch, Ordering::Release);
        }
        let batch = self.backlog.batch();
        let written = if self.link.is_cluster() {
            // Commands of one transaction have to be in one slot.
            let mut groups: HashMap<&Stream, Vec<Arc<Outgoing>>> = HashMap::new();
            for outgoing in &batch {
                groups.entry(&outgoing.stream).or_default().push(Arc::clone(outgoing));
            }
            join_all(groups.values().map(|group| self.write(epoch, group))).await.into_iter().collect()
        } else {
            self.write(epoch, &batch).await
        };
        self.backlog.settle();
        written
    }

    /// Sends events whose streams are on one node: all of them or none. None if Redis may have lost something meanwhile.
    async fn write(&self, epoch: u64, batch: &[Arc<Outgoing>]) -> Result<(), LinkError> {
        let Some(first) = batch.first() else { return Ok(()) };
        let mut pipeline = Pipeline::with_capacity(batch.len());
        if batch.len() > 1 {
            pipeline.atomic();
        }
        for outgoing in batch {
            let mut command = redis::cmd("XADD");
            command.arg(self.names.stream(&outgoing.stream));
            command.arg("MAXLEN").arg("~").arg(self.settings.redis_window).arg("*");
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
        let key = self.names.stream(&first.stream);
        let Some(answers) = self.link.pipeline_in(epoch, &key, &mut pipeline).await? else { return Ok(()) };
        if answers.len() != batch.len() + renewed.len() {
            return Err(LinkError::away("Redis has aborted a transaction"));
        }
        let mut done = Vec::with_capacity(batch.len());
        let mut at_its_end = None;
        for (outgoing, answer) in batch.iter().zip(answers) {
            let id = match answer {
                Ok(Value::BulkString(id)) => String::from_utf8(id).ok(),
                Ok(_) => None,
                // Another program has brought the stream to its end. Once it is made anew, it takes this, too.
                Err(error) if Said::of(&error) == Said::EndOfStream => {
                    self.look_at(&self.names.stream(&outgoing.stream), STREAM_LIFETIME).await?;
                    at_its_end = Some(error.to_string());
                    continue;
                }
                // A key of another type in the stream's place, a user who may not write:
                // waiting would hold up everything behind it.
                Err(error) if matches!(Said::of(&error), Said::WrongType | Said::NoPermission | Said::Never) => {
                    self.metrics.events_lost.count();
                    if self.may_complain() {
                        let stream = self.names.stream(&outgoing.stream);
                        tracing::error!(stream, "redis: an event is lost: {error}");
                    }
                    None
                }
                // Out of memory, without enough replicas, without a disk: that passes.
                Err(error) => return Err(LinkError::away(error.to_string())),
            };
            done.push((Arc::clone(outgoing), id));
        }
        self.backlog.done(&done);
        for outgoing in batch {
            if let Stream::Server(server) = outgoing.stream {
                self.roster.written_to(server);
            }
        }
        at_its_end.map_or(Ok(()), |error| Err(LinkError::away(error)))
    }

    /// Looks whether Redis still has what it has confirmed, and sends again what it has not. Of a stream that is removed as
    /// it is read that can not be seen; its reader knows what it has had.
    async fn check_what_was_confirmed(&self) -> Result<(), LinkError> {
        let mut lost = Vec::new();
        for (stream, id) in self.backlog.confirmed() {
            let key = self.names.stream(&stream);
            let found = self.link.query(&key, redis::cmd("XRANGE").arg(&key).arg(&id).arg(&id)).await;
            match found {
                Ok(Value::Array(found)) if !found.is_empty() => {}
                Ok(_) => lost.push(stream),
                // Something else is in its place by now, and writing will tell.
                Err(error) if error.is_wrong_type() => {}
                Err(error) => return Err(error),
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
