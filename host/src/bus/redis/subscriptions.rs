//! Which topics this server listens to in Redis: those that a client of it is subscribed to, and no others.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::Msg;
use redis::aio::PubSubSink;

use super::Shared;
use super::names::Stream;
use super::publications;
use crate::backoff::Backoff;
use crate::bus::Topic;
use crate::link::{LinkError, PATIENCE};

/// How often a connection that only listens is asked whether it is alive.
const PING: Duration = Duration::from_secs(1);

/// Topics in one command.
const CHUNK: usize = 500;

/// What this task is called in the bus's health.
const PART: &str = "subscriber";

pub(super) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        let Err(error) = listen(&shared, &mut backoff).await;
        shared.health.down(PART, &error.to_string());
        backoff.pause().await;
    }
}

async fn listen(shared: &Shared, backoff: &mut Backoff) -> Result<std::convert::Infallible, LinkError> {
    let mut moved = shared.link.moved();
    moved.mark_unchanged();
    // Any node of a cluster will do; this one is found like a key.
    let key = shared.names.stream(&Stream::All);
    let (mut sink, mut messages) = shared.link.subscriber(&key).await?.split();
    let mut subscribed = HashSet::new();
    // Everything is to be looked at once, because the connection is new.
    shared.local.touch_all_topics();
    let mut ping = tokio::time::interval(PING);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_up = false;
    loop {
        tokio::select! {
            () = shared.local.topics_change() => {
                adjust(shared, &mut sink, &mut subscribed).await?;
            }
            message = messages.next() => match message {
                Some(message) => shared.hear(&message),
                None => return Err(LinkError::away("the connection for topics was lost")),
            },
            _ = ping.tick() => {
                in_time(sink.ping::<redis::Value>()).await?;
                if !is_up {
                    is_up = true;
                    backoff.reset();
                    shared.health.up(PART);
                }
            }
            _ = moved.changed() => return Err(LinkError::away("the node for topics has changed")),
        }
    }
}

/// Brings Redis' view of some topics in line with the clients'. What a topic is now counts, not what happened to it.
async fn adjust(shared: &Shared, sink: &mut PubSubSink, subscribed: &mut HashSet<Topic>) -> Result<(), LinkError> {
    let (mut come, mut gone) = (Vec::new(), Vec::new());
    for topic in shared.local.changed_topics() {
        match (shared.local.has_subscribers(&topic), subscribed.contains(&topic)) {
            (true, false) => come.push(topic),
            (false, true) => gone.push(topic),
            _ => {}
        }
    }
    let channels = |topics: &[Topic]| topics.iter().map(|topic| shared.names.channel(topic)).collect::<Vec<_>>();
    for topics in come.chunks(CHUNK) {
        in_time(sink.subscribe(channels(topics))).await?;
        subscribed.extend(topics.iter().cloned());
    }
    for topics in gone.chunks(CHUNK) {
        in_time(sink.unsubscribe(channels(topics))).await?;
        for topic in topics {
            subscribed.remove(topic);
        }
    }
    Ok(())
}

async fn in_time<T>(asked: impl Future<Output = redis::RedisResult<T>>) -> Result<T, LinkError> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| LinkError::away(format!("the connection for topics: {error}"))),
        Err(_elapsed) => Err(LinkError::away("the connection for topics is not answered in time")),
    }
}

impl Shared {
    /// Passes a publication of another server on to this one's clients.
    fn hear(&self, message: &Msg) {
        let Some(topic) = self.names.topic(message.get_channel_name()) else { return };
        match publications::read(message.get_payload_bytes(), self.settings.max_message) {
            // This server's own clients have it.
            Ok((_, Some(sender))) if sender == self.server => {}
            Ok((message, _)) => {
                self.metrics.publications_received.count();
                self.local.pass_on(&topic, &message);
            }
            Err(unreadable) => {
                self.count(&unreadable);
                if self.may_complain() {
                    tracing::warn!(%topic, "redis: a publication is skipped: {unreadable}");
                }
            }
        }
    }
}
