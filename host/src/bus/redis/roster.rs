//! Which servers live. Each one renews a lease in Redis; a server without a lease for some time is dead: what it has not read
//! goes back to the senders, and its keys are removed, by whoever notices first.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::{Script, Value};

use super::Shared;
use super::entry::{self, Body};
use super::mend::{self, AHEAD};
use super::names::Stream;
use super::writer::STREAM_LIFETIME;
use crate::ids::ServerId;
use crate::link::LinkError;

/// How often a lease is renewed, and others' are looked at.
const PULSE: Duration = Duration::from_secs(1);

/// How long a lease holds: some pulses may be late.
pub(super) const LEASE: Duration = Duration::from_secs(4);

/// How long a lease has to be missing before its server counts as dead. If Redis itself was away, all leases have run out,
/// and each server needs a pulse to renew its own.
const GRACE: Duration = Duration::from_secs(2);

/// How many pulses pass between two renewals of a stream's lifetime, which is much longer.
const BEATS: u32 = 60;

/// A pulse that takes longer says that Redis was away.
const SLOW: Duration = Duration::from_secs(1);

/// How long a server is taken for dead. One that was only asleep says before that it lives.
const DEAD_FOR: Duration = Duration::from_secs(60);

/// How many entries of a dead server go back in one step, and how many bytes.
const RETURNED: usize = 100;
const RETURNED_BYTES: usize = 1024 * 1024;

/// What this task is called in the bus's health.
pub(super) const PART: &str = "lease";

/// Says that this server lives, and asks who has not said so for too long. Who was heard of in the future, which is nobody's
/// doing that lives, was heard of now.
const APPEAR: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local ahead = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + ARGV[4]), '+inf', 'LIMIT', 0, 100)
for _, member in ipairs(ahead) do redis.call('ZADD', KEYS[1], now, member) end
return { redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2], 'LIMIT', 0, 100), #ahead }";

/// Takes entries of a dead server's stream, and the stream when it is empty. Not if the server lives after all.
const BURY: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
if redis.call('TYPE', KEYS[2]).ok ~= 'stream' then
  redis.call('DEL', KEYS[2])
  return { {}, 0 }
end
local entries, bytes = {}, 0
while #entries < tonumber(ARGV[1]) and bytes < tonumber(ARGV[2]) do
  local entry = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if not entry then break end
  local size = 0
  for _, text in ipairs(entry[2]) do size = size + #text end
  bytes = bytes + size
  redis.call('XDEL', KEYS[2], entry[1])
  table.insert(entries, size <= tonumber(ARGV[3]) and entry or { entry[1], {} })
end
local left = redis.call('XLEN', KEYS[2])
if left == 0 then redis.call('DEL', KEYS[2]) end
return { entries, left }";

/// What this server knows of others.
#[derive(Default)]
pub(super) struct Roster {
    state: Mutex<State>,
    /// Held while servers are looked after, which must not be left half done.
    pub(super) busy: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    written_to: HashSet<ServerId>,
    missing: HashMap<ServerId, Instant>,
    dead: HashMap<ServerId, Instant>,
}

impl Roster {
    /// Something was sent to this server: if it does not live, somebody has to notice.
    pub(super) fn written_to(&self, server: ServerId) {
        self.state().written_to.insert(server);
    }

    /// Something has come from this server.
    pub(super) fn heard_of(&self, server: ServerId) {
        let mut state = self.state();
        if !state.dead.is_empty() {
            state.dead.remove(&server);
        }
    }

    /// Those that were taken for dead.
    fn dead(&self) -> Vec<ServerId> {
        self.state().dead.keys().copied().collect()
    }

    pub(super) fn is_dead(&self, server: ServerId) -> bool {
        self.state().dead.get(&server).is_some_and(|since| since.elapsed() < DEAD_FOR)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which of these have been missing for long enough. The others, if any, are not missing any more.
    fn overdue(&self, missing: &HashSet<ServerId>) -> Vec<ServerId> {
        let now = Instant::now();
        let mut state = self.state();
        state.missing.retain(|server, _| missing.contains(server));
        missing
            .iter()
            .filter(|server| {
                let since = state.missing.entry(**server).or_insert(now);
                now.duration_since(*since) >= GRACE
            })
            .copied()
            .collect()
    }

    fn died(&self, server: ServerId) {
        let mut state = self.state();
        state.missing.remove(&server);
        state.dead.retain(|_, since| since.elapsed() < DEAD_FOR);
        state.dead.insert(server, Instant::now());
    }
}

/// Renews the lease for ever, and looks after others.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut pulse = tokio::time::interval(PULSE);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for beat in 0_u32.. {
        pulse.tick().await;
        let busy = shared.roster.busy.lock().await;
        let mut outcome = shared.beat().await;
        if outcome.is_ok() && beat % BEATS == 0 {
            outcome = shared.keep_streams().await;
        }
        match outcome {
            Ok(()) => {
                if shared.checked.load(Ordering::Acquire) == shared.link.epoch() {
                    shared.backlog.prune();
                }
                shared.health.up(PART);
            }
            Err(error) => {
                // Nobody is dead only because Redis was away.
                shared.roster.state().missing.clear();
                shared.health.down(PART, &error.to_string());
            }
        }
        drop(busy);
    }
}

impl Shared {
    /// Says that this server lives; from here on others can reach it. Tells who has not said so for too long.
    pub(super) async fn appear(&self) -> Result<Vec<Vec<u8>>, LinkError> {
        let lease = self.names.lease(self.server);
        let () = self.link.query(&lease, redis::cmd("SET").arg(&lease).arg(1).arg("PX").arg(millis(LEASE))).await?;
        let arguments = [millis(LEASE), STREAM_LIFETIME, AHEAD].map(|number| number.to_string());
        let [lease, lifetime, ahead] = arguments.each_ref().map(String::as_bytes);
        let server = self.server.to_string();
        let arguments = [server.as_bytes(), lease, lifetime, ahead];
        let (silent, ahead): (Vec<Vec<u8>>, usize) =
            self.link.invoke(&self.scripts.appear, &[&self.names.servers()], &arguments).await?;
        if ahead > 0 {
            self.metrics.redis_mended.add(ahead);
            if self.may_complain() {
                tracing::warn!(count = ahead, "redis: the list of servers has times in the future; they are now");
            }
        }
        Ok(silent)
    }

    /// Keeps the streams that this server follows, however quiet they are.
    async fn keep_streams(&self) -> Result<(), LinkError> {
        for stream in self.followed.get().into_iter().flatten() {
            let key = self.names.stream(stream);
            let () = self.link.query(&key, redis::cmd("PEXPIRE").arg(&key).arg(STREAM_LIFETIME)).await?;
        }
        Ok(())
    }

    async fn beat(&self) -> Result<(), LinkError> {
        let began = Instant::now();
        let (mut silent, mut strange): (Vec<ServerId>, Vec<Vec<u8>>) = Default::default();
        for member in self.appear().await? {
            match std::str::from_utf8(&member).ok().and_then(|member| member.parse().ok()) {
                Some(server) => silent.push(server),
                None => strange.push(member),
            }
        }
        self.strike_out(strange).await?;
        self.look_at_the_dead().await?;
        let written_to = std::mem::take(&mut self.roster.state().written_to);
        let waiting: Vec<ServerId> = self.roster.state().missing.keys().copied().collect();
        let suspects: HashSet<ServerId> =
            silent.into_iter().chain(written_to).chain(waiting).filter(|server| *server != self.server).collect();
        let looks = suspects
            .iter()
            .map(async |server| Ok::<_, LinkError>((!self.has_lease(*server).await?).then_some(*server)));
        let looked: Result<Vec<_>, _> = join_all(looks).await.into_iter().collect();
        let missing: HashSet<ServerId> = match looked {
            Ok(looked) => looked.into_iter().flatten().collect(),
            Err(error) => {
                self.roster.state().written_to.extend(suspects);
                return Err(error);
            }
        };
        if began.elapsed() > SLOW {
            // Redis was away, and with it all leases.
            let mut state = self.roster.state();
            state.missing.clear();
            state.written_to.extend(missing);
            return Ok(());
        }
        for server in self.roster.overdue(&missing) {
            self.bury(server).await?;
        }
        Ok(())
    }

    /// Members of the list of servers that are none.
    async fn strike_out(&self, strange: Vec<Vec<u8>>) -> Result<(), LinkError> {
        if strange.is_empty() {
            return Ok(());
        }
        if self.may_complain() {
            tracing::warn!(
                count = strange.len(),
                "redis: the list of servers has names that are none; they are removed"
            );
        }
        let servers = self.names.servers();
        self.link.query(&servers, redis::cmd("ZREM").arg(&servers).arg(strange)).await
    }

    /// Who was taken for dead and says again that it lives was only asleep.
    async fn look_at_the_dead(&self) -> Result<(), LinkError> {
        let dead = self.roster.dead();
        if dead.is_empty() {
            return Ok(());
        }
        let servers = self.names.servers();
        let members: Vec<String> = dead.iter().map(ServerId::to_string).collect();
        let scores: Vec<Value> = self.link.query(&servers, redis::cmd("ZMSCORE").arg(&servers).arg(members)).await?;
        for (server, score) in dead.into_iter().zip(scores) {
            if score != Value::Nil {
                tracing::info!(%server, "redis: a server lives that was taken for dead");
                self.roster.heard_of(server);
            }
        }
        Ok(())
    }

    /// Gives back what a server has not read, and removes its keys.
    async fn bury(&self, server: ServerId) -> Result<(), LinkError> {
        let Some(returned) = self.take_from_stream_of(server).await? else { return Ok(()) };
        self.roster.died(server);
        // What has not even left this server yet.
        for outgoing in self.backlog.forget(&Stream::Server(server)) {
            self.return_body(outgoing.body.clone());
        }
        tracing::info!(%server, returned, "redis: a server is dead; what it had not read goes back");
        Ok(())
    }

    /// This server ends: others need not wait for its lease to run out. It does not read any more.
    pub(super) async fn leave(&self) -> Result<(), LinkError> {
        let (lease, stream) = (self.names.lease(self.server), self.names.stream(&Stream::Server(self.server)));
        let () = self.link.query(&lease, redis::cmd("DEL").arg(&lease)).await?;
        let next = super::lock(&self.read).next().to_string();
        let () = self.link.query(&stream, redis::cmd("XTRIM").arg(&stream).arg("MINID").arg(next)).await?;
        self.take_from_stream_of(self.server).await?;
        // The last one leaves nothing behind, but for what another program still wants to be notified.
        let (servers, notices) = (self.names.servers(), self.names.notices());
        let others: u64 = self.link.query(&servers, redis::cmd("ZCARD").arg(&servers)).await?;
        let waiting: u64 = self.link.query(&notices, redis::cmd("XLEN").arg(&notices)).await?;
        if others == 0 && waiting == 0 {
            let () = self.link.query(&notices, redis::cmd("DEL").arg(&notices)).await?;
        }
        Ok(())
    }

    /// Returns everything of a server's stream to those who sent it; none if the server lives.
    async fn take_from_stream_of(&self, server: ServerId) -> Result<Option<usize>, LinkError> {
        let (stream, lease) = (self.names.stream(&Stream::Server(server)), self.names.lease(server));
        let mut returned = 0;
        loop {
            let most = [RETURNED, RETURNED_BYTES, self.largest_entry()].map(|number| number.to_string());
            let most = most.each_ref().map(|number| number.as_bytes());
            let taken: Option<(Vec<Value>, u64)> =
                self.link.invoke(&self.scripts.bury, &[&lease, &stream], &most).await?;
            let Some((entries, left)) = taken else { return Ok(None) };
            for entry in entries {
                returned += usize::from(self.return_entry(entry));
            }
            if left == 0 {
                break;
            }
        }
        let servers = self.names.servers();
        let () = self.link.query(&servers, redis::cmd("ZREM").arg(&servers).arg(server.to_string())).await?;
        Ok(Some(returned))
    }

    fn return_entry(&self, entry: Value) -> bool {
        let Value::Array(pair) = entry else { return false };
        let Ok([_, Value::Array(fields)]) = <[Value; 2]>::try_from(pair) else { return false };
        entry::read(fields, self.settings.max_event).is_ok_and(|(body, _)| self.return_body(body))
    }

    /// News that something was not delivered are not returned in their turn.
    fn return_body(&self, body: Body) -> bool {
        match body {
            Body::Event { event, to: Some(to), from } => {
                self.return_to_sender(to, event, from);
                true
            }
            Body::Ring { identity, to } => {
                self.local.miss(to, &identity);
                false
            }
            _ => false,
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The scripts of this file.
pub(super) struct Scripts {
    appear: Script,
    bury: Script,
    /// How a stream is.
    pub(super) look: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Scripts { appear: Script::new(APPEAR), bury: Script::new(BURY), look: mend::script() }
    }
}
