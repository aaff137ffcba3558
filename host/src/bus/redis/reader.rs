//! Follows streams and hands what they bring to this server. It goes on from where it was, whatever happened to the
//! connection in between, and says so when that is not possible.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Pipeline, Value};
use tokio::sync::watch;

use super::Shared;
use super::entry::{self, Body, Origin, Unreadable};
use super::mend::{AHEAD, Looked};
use super::names::Stream;
use super::order::{Appetite, Position, Raw, merge, release, weight};
use super::roster::LEASE;
use super::senders::{Senders, Verdict};
use super::writer::STREAM_LIFETIME;
use crate::backoff::Backoff;
use crate::link::{LinkError, PATIENCE};

/// How long Redis holds back its answer when there is nothing new, in milliseconds: a connection that is dead is found out
/// within this and `PATIENCE`.
const BLOCK: u64 = 1000;

/// How often a key that should be a stream, and is none, is looked at again.
const LOOK: Duration = Duration::from_secs(1);

/// How often all streams are looked at: whether somebody has removed one, or brought it to its end.
const LOOK_AT_ALL: Duration = Duration::from_secs(5);

/// One task that reads some streams over one connection.
pub(super) struct Reader {
    shared: Arc<Shared>,
    /// In the bus's health.
    part: String,
    followed: Vec<Followed>,
    senders: Senders,
    appetite: Appetite,
    /// Redis' time in milliseconds, and when it told it.
    clock: (u64, Instant),
    /// An entry has an id that is too far ahead of it.
    in_the_future: bool,
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
            appetite: Appetite::new(),
            clock: (0, Instant::now()),
            in_the_future: false,
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
        self.in_the_future = false;
        for followed in &mut self.followed {
            let looked = self.shared.look_at(&followed.key, STREAM_LIFETIME).await?;
            if followed.blocked != looked.is_none() {
                followed.blocked = looked.is_none();
                self.shared.report(&followed.key, followed.blocked);
            }
            let Some(Looked { last, now, .. }) = looked else { continue };
            self.clock = (now, Instant::now());
            match followed.position {
                None => followed.position = Some(last),
                Some(position) if last < position => {
                    tracing::warn!(stream = followed.key, "redis: the stream has lost entries; reading what is there");
                    // Not more than what can have been there: whatever comes from now on is new.
                    followed.had = followed.had.max(position.min(Position(now, 0)));
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
            let blocked = self.followed.iter().any(|followed| followed.blocked);
            if self.in_the_future || looked.elapsed() >= if blocked { LOOK } else { LOOK_AT_ALL } {
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
        streams(pipeline.cmd("XREAD").arg("COUNT").arg(self.appetite.count()));
        pipeline
    }

    /// Hands on what a reply brings; says whether this server's own stream brought something.
    fn take(&mut self, reply: Value) -> bool {
        let entries = self.entries(reply);
        if entries.is_empty() {
            return false;
        }
        let limit = self.appetite.count();
        let bytes = entries.iter().map(|entry| entry.bytes).sum();
        let may_be_more = (0..self.followed.len())
            .any(|stream| entries.iter().filter(|entry| entry.stream == stream).count() >= limit);
        let heads = too_large_heads(&entries, self.followed.len());
        let released = release(entries, self.followed.len(), limit);
        self.appetite.had(bytes, may_be_more);
        if released.is_empty() {
            // What is skipped anyway need not wait for its turn. Else a larger question is asked for the same: positions have
            // not moved.
            if heads.is_empty() {
                self.appetite = Appetite::of(limit);
                self.appetite.need_more();
            }
            let mut own = false;
            for raw in heads {
                own |= self.pass(&raw);
            }
            return own;
        }
        let mut own = false;
        let mut understood = Vec::with_capacity(released.len());
        for raw in released {
            if raw.at.0 > self.latest() {
                self.in_the_future = true;
                continue;
            }
            own |= self.pass(&raw);
            let Some(followed) = self.followed.get(raw.stream) else { continue };
            if raw.too_large {
                continue;
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

    /// The position is behind this entry now. Says whether it was on this server's own stream.
    fn pass(&mut self, raw: &Raw) -> bool {
        let Some(followed) = self.followed.get_mut(raw.stream) else { return false };
        followed.position = Some(raw.at);
        if raw.too_large {
            let most = self.shared.largest_entry();
            let what = format!("it has {} bytes; {most} are the most", raw.bytes);
            self.shared.skip(&followed.key, raw.at, &Unreadable::Malformed(what));
        }
        let own = matches!(followed.stream, Stream::Server(_));
        if own {
            *super::lock(&self.shared.read) = raw.at;
        }
        own
    }

    /// The latest id that an entry can have by now, its milliseconds.
    fn latest(&self) -> u64 {
        let (told, since) = self.clock;
        told.saturating_add(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)).saturating_add(AHEAD)
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
                let bytes = weight(&fields);
                let too_large = bytes > self.shared.largest_entry();
                let fields = if too_large { Vec::new() } else { fields };
                entries.push(Raw { stream: index, at, fields, bytes, too_large });
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
                Verdict::Contradicts(lost) => {
                    shared.metrics.events_lost.add(usize::try_from(lost).unwrap_or(usize::MAX));
                    shared.metrics.events_malformed.count();
                    if shared.may_complain() {
                        let (stream, sender) = (&followed.key, origin.sender);
                        tracing::error!(
                            stream,
                            %sender,
                            lost,
                            "redis: the numbers of a server's events contradict each other: somebody writes in its name"
                        );
                    }
                }
                Verdict::Implausible => {
                    let Origin { seq, index, .. } = origin;
                    let what =
                        format!("seq {seq} with index {index} can not follow what that server has emitted before");
                    return shared.skip(&followed.key, at, &Unreadable::Malformed(what));
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

/// The entries that are too large and come first on their streams.
fn too_large_heads(entries: &[Raw], streams: usize) -> Vec<Raw> {
    let mut heads = Vec::new();
    for stream in 0..streams {
        let theirs = entries.iter().filter(|entry| entry.stream == stream);
        heads.extend(theirs.take_while(|entry| entry.too_large).map(|entry| Raw { fields: Vec::new(), ..*entry }));
    }
    heads
}
