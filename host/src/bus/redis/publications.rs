//! Messages on topics, out to other servers and in from them, by pub/sub: at most once. A payload is `1 KIND SENDER MESSAGE`
//! with single spaces: KIND is `text` or `binary`, SENDER the id of a server, or `-` for others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use redis::Pipeline;
use tokio::sync::Notify;

use super::Shared;
use super::entry::{self, Unreadable};
use crate::backoff::Backoff;
use crate::ids::ServerId;
use crate::link::LinkError;
use crate::message::Message;

/// How many bytes of publications wait for Redis. It takes what comes within milliseconds or it is away, and then they are
/// not kept.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

/// How many go to Redis at a time.
const BATCH: usize = 256;

/// What this task is called in the bus's health.
pub(super) const PART: &str = "publisher";

/// What waits to be published.
#[derive(Default)]
pub(super) struct Publications {
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(String, Vec<u8>)>,
    bytes: usize,
    /// So many are on their way.
    under_way: usize,
}

/// There is no room, or Redis is away.
#[derive(Debug)]
pub(super) struct NotPublished;

impl Publications {
    pub(super) fn push(&self, channel: String, payload: Vec<u8>) -> Result<(), NotPublished> {
        let mut queue = super::lock(&self.queue);
        if queue.bytes > WAITING_BYTES {
            return Err(NotPublished);
        }
        queue.bytes += cost(&channel, &payload);
        queue.waiting.push_back((channel, payload));
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    /// Whether something waits or is on its way.
    pub(super) fn waits(&self) -> bool {
        let queue = super::lock(&self.queue);
        queue.under_way > 0 || !queue.waiting.is_empty()
    }

    /// What is to be published next. What was taken before is done with.
    fn take(&self) -> Vec<(String, Vec<u8>)> {
        let mut queue = super::lock(&self.queue);
        let count = queue.waiting.len().min(BATCH);
        let taken: Vec<_> = queue.waiting.drain(..count).collect();
        queue.bytes -= taken.iter().map(|(channel, payload)| cost(channel, payload)).sum::<usize>();
        queue.under_way = taken.len();
        taken
    }
}

fn cost(channel: &str, payload: &[u8]) -> usize {
    channel.len() + payload.len() + 64
}

/// Publishes what waits, for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        // Where Redis is, so that what is published next finds it; what was taken meanwhile is not kept.
        while !shared.health.is_up(&[PART]) {
            match shared.link.prove(&shared.names.servers()).await {
                Ok(()) => shared.health.up(PART),
                Err(error) => {
                    shared.metrics.publications_lost.add(shared.publications.take().len());
                    shared.health.down(PART, &error.to_string());
                    backoff.pause().await;
                }
            }
        }
        let batch = shared.publications.take();
        if batch.is_empty() {
            shared.publications.wake.notified().await;
            continue;
        }
        match shared.publish_batch(&batch).await {
            Ok(()) => backoff.reset(),
            Err(error) => {
                // Whether Redis has them is not known; sending them again could be twice.
                shared.metrics.publications_lost.add(batch.len());
                shared.health.down(PART, &error.to_string());
                backoff.pause().await;
            }
        }
    }
}

impl Shared {
    async fn publish_batch(&self, batch: &[(String, Vec<u8>)]) -> Result<(), LinkError> {
        // A cluster passes publications on to all of its nodes; each channel has one that it is given to.
        let mut groups: HashMap<_, (&str, Pipeline)> = HashMap::new();
        for (channel, payload) in batch {
            let node = self.link.node(channel).await?;
            let (_, pipeline) = groups.entry(node).or_insert_with(|| (channel, Pipeline::new()));
            pipeline.cmd("PUBLISH").arg(channel).arg(payload);
        }
        for (channel, mut pipeline) in groups.into_values() {
            for answer in self.link.pipeline(channel, &mut pipeline).await? {
                if let Err(error) = answer {
                    self.metrics.publications_lost.count();
                    if self.may_complain() {
                        tracing::error!("redis: a publication is lost: {error}");
                    }
                }
            }
        }
        Ok(())
    }
}

/// What goes over the channel.
pub(super) fn write(message: &Message, sender: ServerId) -> Vec<u8> {
    let (kind, bytes) = match message {
        Message::Text(text) => ("text", text.as_bytes()),
        Message::Binary(bytes) => ("binary", bytes.as_ref()),
    };
    let mut payload = format!("1 {kind} {sender} ").into_bytes();
    payload.extend_from_slice(bytes);
    payload
}

/// Understands what came over a channel; the sender is none if it is no server.
pub(super) fn read(payload: &[u8], largest: usize) -> Result<(Message, Option<ServerId>), Unreadable> {
    let (version, rest) = payload.split_at(payload.iter().position(|byte| *byte == b' ').unwrap_or(payload.len()));
    entry::check_version(std::str::from_utf8(version).unwrap_or_default())?;
    understand(rest.get(1..).unwrap_or_default(), largest).map_err(Unreadable::Malformed)
}

/// What comes after the version.
fn understand(rest: &[u8], largest: usize) -> Result<(Message, Option<ServerId>), String> {
    let mut parts = rest.splitn(3, |byte| *byte == b' ');
    let (Some(kind), Some(sender), Some(message)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it is not `1 KIND SENDER MESSAGE`".into());
    };
    if message.len() > largest {
        return Err(format!("the message has {} bytes; max-message is {largest}", message.len()));
    }
    let sender = match std::str::from_utf8(sender) {
        Ok("-") => None,
        Ok(text) => Some(text.parse().map_err(|wrong| format!("the sender: {wrong}"))?),
        Err(_) => return Err("the sender is not UTF-8".into()),
    };
    let message = match kind {
        b"text" => {
            let text = String::from_utf8(message.to_vec()).map_err(|_| "the text is not UTF-8")?;
            Message::Text(text.into())
        }
        b"binary" => Message::Binary(message.to_vec().into()),
        other => return Err(format!("the kind is {:.20?}; text or binary is known", String::from_utf8_lossy(other))),
    };
    Ok((message, sender))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let server = ServerId::random();
        for message in [Message::Text("a text with spaces ".into()), Message::Binary(vec![0, 32, 255].into())] {
            assert_eq!(read(&write(&message, server), 100), Ok((message, Some(server))));
        }
        assert_eq!(read(b"1 text - hey you", 100), Ok((Message::Text("hey you".into()), None)));
        assert_eq!(read(b"1 text - ", 100), Ok((Message::Text("".into()), None)));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for payload in [
            &b""[..],
            b"hello",
            b"1",
            b"1 text -",
            b"1text - x",
            b"1 image - x",
            b"1 text somebody x",
            b"1 text \xff x",
            b"1 text - \xff",
            b"1 text - 01234567890",
        ] {
            assert!(matches!(read(payload, 10), Err(Unreadable::Malformed(_))), "{payload:?}");
        }
        assert_eq!(read(b"2 something", 10), Err(Unreadable::Newer("2".into())));
    }
}
