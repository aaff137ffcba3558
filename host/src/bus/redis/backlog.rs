//! What this server emits to others, in order, until Redis has it, and a little longer: what Redis has confirmed and then
//! lost, in a crash or a change of its master, is sent again. Receivers know each event by its number and take it once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::entry::{Body, Origin};
use super::names::Stream;
use crate::ids::ServerId;

/// How long what Redis has confirmed is kept, the time not counted in which Redis is away: longer than it takes to notice
/// that, and than a replica is behind.
const KEPT_FOR: Duration = Duration::from_secs(15);

/// How many bytes of it are kept, whatever their age.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// How many events go to Redis at a time: enough that the round trip is shared by many, few enough that others who use the
/// connection wait but a moment.
const BATCH: usize = 256;

/// And how many bytes, a last event beyond it included.
const BATCH_BYTES: usize = 512 * 1024;

/// Streams whose numbers are remembered: controllers can name as many as they like. At more all are forgotten.
const LANES: usize = 4096;

/// An event on its way to Redis.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) stream: Stream,
    pub(super) origin: Origin,
    pub(super) body: Body,
}

impl Outgoing {
    fn cost(&self) -> usize {
        self.body.cost() + 128
    }
}

/// The backlog is over its limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

pub(super) struct Backlog {
    server: ServerId,
    limit: usize,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Outgoing>>,
    /// So many at the front are on their way.
    under_way: usize,
    bytes: usize,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    seq: u64,
    indices: HashMap<Stream, u64>,
}

struct Kept {
    outgoing: Arc<Outgoing>,
    id: String,
    since: Instant,
}

impl Backlog {
    pub(super) fn new(server: ServerId, limit: usize) -> Self {
        Backlog { server, limit, state: Mutex::default(), wake: Notify::new() }
    }

    /// Takes an event, numbers it, and sees to it that it is sent.
    pub(super) fn push(&self, stream: Stream, body: Body) -> Result<(), Full> {
        let mut state = self.state();
        let state = &mut *state;
        if state.bytes > self.limit {
            return Err(Full);
        }
        if state.indices.len() >= LANES {
            // Numbers that begin again are recognised by the larger `seq` beside them.
            state.indices.clear();
        }
        state.seq += 1;
        let index = state.indices.entry(stream.clone()).or_default();
        *index += 1;
        let origin = Origin { sender: self.server, seq: state.seq, index: *index };
        let outgoing = Outgoing { stream, origin, body };
        state.bytes += outgoing.cost();
        state.queue.push_back(Arc::new(outgoing));
        if state.queue.len() == 1 {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Resolves when there may be something to send.
    pub(super) async fn waits(&self) {
        while self.state().queue.is_empty() {
            self.wake.notified().await;
        }
    }

    /// What is to be sent next; it stays here until it is `done`, or until all that is not done is `settled` not to be.
    pub(super) fn batch(&self) -> Vec<Arc<Outgoing>> {
        let mut bytes = 0;
        let mut state = self.state();
        let fits = |outgoing: &&Arc<Outgoing>| {
            let fits = bytes < BATCH_BYTES;
            bytes += outgoing.cost();
            fits
        };
        let batch: Vec<_> = state.queue.iter().take(BATCH).take_while(fits).cloned().collect();
        state.under_way = batch.len();
        batch
    }

    /// Nothing is on its way any more.
    pub(super) fn settle(&self) {
        self.state().under_way = 0;
    }

    /// Redis has these, under the ids beside them; without an id it has refused one for good. All are of the last batch.
    pub(super) fn done(&self, sent: &[(Arc<Outgoing>, Option<String>)]) {
        let mut state = self.state();
        let state = &mut *state;
        let seqs: std::collections::HashSet<u64> = sent.iter().map(|(outgoing, _)| outgoing.origin.seq).collect();
        let (mut looked_at, mut removed) = (VecDeque::new(), 0);
        while removed < seqs.len()
            && let Some(outgoing) = state.queue.pop_front()
        {
            if seqs.contains(&outgoing.origin.seq) {
                removed += 1;
                state.bytes -= outgoing.cost();
            } else {
                looked_at.push_back(outgoing);
            }
        }
        while let Some(outgoing) = looked_at.pop_back() {
            state.queue.push_front(outgoing);
        }
        state.under_way = state.under_way.saturating_sub(removed);
        let now = Instant::now();
        for (outgoing, id) in sent {
            let Some(id) = id else { continue };
            state.kept_bytes += outgoing.cost();
            state.kept.push_back(Kept { outgoing: Arc::clone(outgoing), id: id.clone(), since: now });
        }
        state.prune(now);
    }

    /// Redis is there and has lost nothing: what it has had for long enough is kept no longer.
    pub(super) fn prune(&self) {
        self.state().prune(Instant::now());
    }

    /// The last id that Redis has confirmed on each stream, of those that would be sent again.
    pub(super) fn confirmed(&self) -> Vec<(Stream, String)> {
        let mut last = HashMap::new();
        for kept in &self.state().kept {
            last.insert(kept.outgoing.stream.clone(), kept.id.clone());
        }
        last.into_iter().collect()
    }

    /// Sends what was confirmed on these streams again, before anything newer; says how much that is.
    pub(super) fn send_again(&self, streams: &[Stream]) -> usize {
        let mut state = self.state();
        let state = &mut *state;
        let (again, kept): (Vec<Kept>, Vec<Kept>) =
            std::mem::take(&mut state.kept).into_iter().partition(|kept| streams.contains(&kept.outgoing.stream));
        state.kept = kept.into();
        for kept in &again {
            state.kept_bytes -= kept.outgoing.cost();
            state.bytes += kept.outgoing.cost();
        }
        state.queue.extend(again.iter().map(|kept| Arc::clone(&kept.outgoing)));
        // Several rounds may have left older events behind newer ones.
        state.queue.make_contiguous().sort_by_key(|outgoing| outgoing.origin.seq);
        again.len()
    }

    /// Nobody reads a stream any more: what was for it is taken back, but for what is on its way.
    pub(super) fn forget(&self, stream: &Stream) -> VecDeque<Arc<Outgoing>> {
        let mut state = self.state();
        let state = &mut *state;
        state.indices.remove(stream);
        let waiting = state.queue.split_off(state.under_way.min(state.queue.len()));
        let (theirs, others): (VecDeque<_>, VecDeque<_>) =
            waiting.into_iter().partition(|outgoing| outgoing.stream == *stream);
        state.queue.extend(others);
        state.bytes -= theirs.iter().map(|outgoing| outgoing.cost()).sum::<usize>();
        let kept_bytes = &mut state.kept_bytes;
        state.kept.retain(|kept| {
            let theirs = kept.outgoing.stream == *stream;
            if theirs {
                *kept_bytes -= kept.outgoing.cost();
            }
            !theirs
        });
        theirs
    }

    /// How many events wait, and how many bytes they are.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.state();
        (state.queue.len(), state.bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn prune(&mut self, now: Instant) {
        while let Some(oldest) = self.kept.front()
            && (self.kept_bytes > KEPT_BYTES || now.duration_since(oldest.since) > KEPT_FOR)
        {
            self.kept_bytes -= oldest.outgoing.cost();
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
