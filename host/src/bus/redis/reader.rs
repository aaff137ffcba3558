//! Follows streams and hands what they bring to this server. It goes on from where it was, whatever happened to the
//! connection in between, and says so when that is not possible.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Pipeline, Script, Value};
use tokio::sync::watch;

use super::Shared;
use super::entry::{self, Body, Origin, Unreadable};
use super::names::Stream;
use super::order::{Position, Raw, Senders, Verdict, merge, release};
use super::roster::LEASE;
use super::writer::STREAM_LIFETIME;
use crate::backoff::Backoff;
use crate::bus::{Bus, EmitError, Envelope, Target};
use crate::link::{LinkError, PATIENCE};

/// How long Redis holds back its answer when there is nothing new, in milliseconds: a connection that is dead is found out
/// within this and `PATIENCE`.
const BLOCK: u64 = 1000;

/// How many entries of each stream one answer has: some megabytes at the most with events of usual size.
const COUNT: usize = 256;

/// How often a key that should be a stream, and is none, is looked at again.
const LOOK: Duration = Duration::from_secs(1);

/// Makes sure that the stream is there, and tells the last id that it has given; nothing if something else is there.
const FOLLOW: &str = "
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  redis.call('XADD', KEYS[1], 'MAXLEN', 0, '*', 'v', '1')
elseif kind ~= 'stream' then
  return false
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then return info[i + 1] end
end";

/// One task that reads some streams over one connection.
pub(super) struct Reader {
    shared: Arc<Shared>,
    /// In the bus's health.
    part: String,
    followed: Vec<Followed>,
    senders: Senders,
    count: usize,
    follow: Script,
    moved: watch::Receiver<u64>,
}

struct Followed {
    stream: Stream,
    key: String,
    /// None: it has never been looked at.
    position: Option<Position>,
    /// Something else is in its place.
    blocked: bool,
    /// Up to here events without numbers were handed on before Redis lost its streams.
    had: Position,
}

impl Reader {
    pub(super) fn new(shared: &Arc<Shared>, streams: &[Stream]) -> Self {
        let followed: Vec<Followed> = streams
            .iter()
            .map(|stream| Followed {
                stream: stream.clone(),
                key: shared.names.stream(stream),
                position: None,
                blocked: false,
                had: Position::default(),
            })
            .collect();
        Reader {
            part: format!("reader of {}", followed.iter().map(|one| one.key.as_str()).collect::<Vec<_>>().join(" ")),
            moved: shared.link.moved(),
            shared: Arc::clone(shared),
            followed,
            senders: Senders::default(),
            count: COUNT,
            follow: Script::new(FOLLOW),
        }
    }

    /// What this task is called in the bus's health.
    pub(super) fn part(&self) -> &str {
        &self.part
    }

    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.follow(&mut backoff).await;
            self.shared.health.down(&self.part, &error.to_string());
            backoff.pause().await;
        }
    }

    /// Finds out where to begin, or to go on. From here on nothing is missed.
    pub(super) async fn position(&mut self) -> Result<(), LinkError> {
        let lifetime = STREAM_LIFETIME.to_string();
        for followed in &mut self.followed {
            let last: Option<Vec<u8>> =
                self.shared.link.invoke(&self.follow, &[&followed.key], &[lifetime.as_bytes()]).await?;
            if followed.blocked != last.is_none() {
                followed.blocked = last.is_none();
                self.shared.report(&followed.key, followed.blocked);
            }
            let Some(last) = last else { continue };
            let last = Position::parse(&last)
                .ok_or_else(|| LinkError::away(format!("{} has an id that is none", followed.key)))?;
            match followed.position {
                None => followed.position = Some(last),
                Some(position) if last < position => {
                    tracing::warn!(stream = followed.key, "redis: the stream has lost entries; reading what is there");
                    followed.had = followed.had.max(position);
                    followed.position = Some(Position::default());
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn follow(&mut self, backoff: &mut Backoff) -> Result<std::convert::Infallible, LinkError> {
        self.moved.mark_unchanged();
        let Some(first) = self.followed.first() else {
            return std::future::pending().await;
        };
        let mut line = self.shared.link.dial(&first.key, Duration::from_millis(BLOCK) + PATIENCE).await?;
        self.position().await?;
        self.shared.health.up(&self.part);
        let mut trim = false;
        let mut looked = Instant::now();
        loop {
            if self.followed.iter().any(|followed| followed.blocked) && looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.position().await?;
            }
            if self.followed.iter().all(|followed| followed.blocked) {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let pipeline = self.question(trim);
            let asked = Instant::now();
            let reply = tokio::select! {
                reply = line.pipeline(&pipeline) => reply?,
                _ = self.moved.changed() => return Err(LinkError::away("the streams have moved to another node")),
            };
            backoff.reset();
            if asked.elapsed() > LEASE {
                // This process was asleep, and may have been taken for dead: what the answer has is then with its senders
                // again. Once it is known to live, Redis tells what is left.
                self.shared.appear().await?;
                continue;
            }
            trim = self.take(reply.into_iter().next_back().unwrap_or_default());
            tokio::task::yield_now().await;
        }
    }

    /// What comes after each position; what was read of this server's own stream is done with, and removed on the way.
    ///
    /// A command that waits is answered with the one stream that ends the wait, which would put its events before earlier
    /// ones of other streams. So that answer is only a bell, and the command behind it, which Redis has already, takes all
    /// streams as they are at one moment.
    fn question(&self, trim: bool) -> Pipeline {
        let mut pipeline = Pipeline::with_capacity(2);
        let followed = || self.followed.iter().filter(|followed| !followed.blocked);
        let own = followed().find(|followed| matches!(followed.stream, Stream::Server(_)));
        if let Some(own) = own.filter(|_| trim) {
            let next = own.position.unwrap_or_default().next().to_string();
            pipeline.cmd("XTRIM").arg(&own.key).arg("MINID").arg(next);
        }
        let streams = |command: &mut Pipeline| {
            command.arg("STREAMS");
            for followed in followed() {
                command.arg(&followed.key);
            }
            for followed in followed() {
                command.arg(followed.position.unwrap_or_default().to_string());
            }
        };
        streams(pipeline.cmd("XREAD").arg("COUNT").arg(1).arg("BLOCK").arg(BLOCK));
        streams(pipeline.cmd("XREAD").arg("COUNT").arg(self.count));
        pipeline
    }

    /// Hands on what a reply brings; says whether this server's own stream brought something.
    fn take(&mut self, reply: Value) -> bool {
        let entries = self.entries(reply);
        if entries.is_empty() {
            return false;
        }
        let released = release(entries, self.followed.len(), self.count);
        // Positions have not moved: a larger question is asked for the same.
        self.count = if released.is_empty() { self.count * 2 } else { COUNT };
        let mut own = false;
        let mut understood = Vec::with_capacity(released.len());
        for raw in released {
            let Some(followed) = self.followed.get_mut(raw.stream) else { continue };
            followed.position = Some(raw.at);
            if matches!(followed.stream, Stream::Server(_)) {
                own = true;
                *super::lock(&self.shared.read) = raw.at;
            }
            match entry::read(raw.fields, self.shared.settings.max_event) {
                Ok((body, origin)) => understood.push((raw.stream, raw.at, body, origin)),
                Err(unreadable) => self.shared.skip(&followed.key, raw.at, &unreadable),
            }
        }
        merge(&mut understood, |(_, at, _, origin)| (at.0, *origin));
        for (stream, at, body, origin) in understood {
            self.hand_on(stream, at, body, origin);
        }
        own
    }

    /// The entries of a reply to `XREAD`: none, or an array of pairs of a stream's key and its entries.
    fn entries(&self, reply: Value) -> Vec<Raw> {
        let streams = match reply {
            Value::Array(streams) => streams,
            _ => return Vec::new(),
        };
        let mut entries = Vec::new();
        for stream in streams {
            let Value::Array(pair) = stream else { continue };
            let Ok([Value::BulkString(key), Value::Array(theirs)]) = <[Value; 2]>::try_from(pair) else { continue };
            let Some(index) = self.followed.iter().position(|followed| followed.key.as_bytes() == key) else {
                continue;
            };
            for entry in theirs {
                let Value::Array(pair) = entry else { continue };
                let Ok([Value::BulkString(id), Value::Array(fields)]) = <[Value; 2]>::try_from(pair) else { continue };
                let Some(at) = Position::parse(&id) else { continue };
                entries.push(Raw { stream: index, at, fields });
            }
        }
        entries
    }

    fn hand_on(&mut self, stream: usize, at: Position, body: Body, origin: Option<Origin>) {
        let Some(followed) = self.followed.get(stream) else { return };
        let shared = &self.shared;
        match origin {
            // This server's own connections had it before Redis did.
            Some(origin) if origin.sender == shared.server => return,
            Some(origin) => match self.senders.judge(stream, origin) {
                Verdict::Next => shared.roster.heard_of(origin.sender),
                Verdict::Repeated => return shared.metrics.events_repeated.count(),
                Verdict::Missed(missed) => {
                    shared.metrics.events_lost.add(usize::try_from(missed).unwrap_or(usize::MAX));
                    if shared.may_complain() {
                        let (stream, sender) = (&followed.key, origin.sender);
                        tracing::error!(stream, %sender, lost = missed, "redis: events were lost before they were read");
                    }
                }
            },
            // Without numbers only the place in the stream tells old from new.
            None if at <= followed.had => return shared.metrics.events_repeated.count(),
            None => {}
        }
        shared.metrics.events_received.count();
        shared.hand_on(&followed.stream, body);
    }
}

impl Shared {
    /// Gives an event to the connections of this server that it is for. A stream says for whom; `to` is for one's own.
    fn hand_on(&self, stream: &Stream, body: Body) {
        let (event, target, from) = match (stream, body) {
            (Stream::Server(_), Body::Undelivered { event, to, target }) => {
                return self.local.tell_undelivered(to, target, event);
            }
            (Stream::Server(_), Body::Ring { identity, to }) if to.server() == self.server => {
                return self.local.ring(to, &identity);
            }
            (Stream::Server(_), Body::Event { event, to: Some(to), from }) => (event, Target::Connection(to), from),
            (Stream::All, Body::Event { event, from, .. }) => (event, Target::All, from),
            (Stream::Controller(name), Body::Event { event, from, .. }) => {
                (event, Target::Controller(name.to_string()), from)
            }
            (_, Body::Undelivered { .. } | Body::Ring { .. } | Body::Notify { .. } | Body::Event { to: None, .. }) => {
                self.metrics.events_malformed.count();
                if self.may_complain() {
                    tracing::warn!("redis: an event is skipped that does not say for whom it is");
                }
                return;
            }
        };
        let envelope = Envelope { to: target, event: Arc::clone(&event), from };
        if self.local.hand(&envelope) == Err(EmitError::Gone)
            && let Target::Connection(target) = envelope.to
        {
            self.return_to_sender(target, event, from);
        }
    }

    pub(super) fn skip(&self, key: &str, at: Position, unreadable: &Unreadable) {
        self.count(unreadable);
        if self.may_complain() {
            tracing::warn!(stream = key, entry = %at, "redis: an entry is skipped: {unreadable}");
        }
    }

    pub(super) fn count(&self, unreadable: &Unreadable) {
        let metric = match unreadable {
            Unreadable::Newer(_) => &self.metrics.events_newer,
            Unreadable::Malformed(_) => &self.metrics.events_malformed,
        };
        metric.count();
    }

    /// Something else is in a stream's place, or no longer.
    fn report(&self, key: &str, blocked: bool) {
        if blocked {
            tracing::error!("redis: {key} is no stream; what belongs there is lost until it is removed");
            self.health.down(key, &format!("{key} is no stream"));
        } else {
            tracing::info!("redis: {key} is a stream again");
            self.health.up(key);
        }
    }
}
