//! In which order entries are handed on, which of them were there before, and which are missing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use redis::Value;

use super::entry::Origin;
use crate::ids::ServerId;

/// Where a stream has been read up to: the id of an entry, milliseconds and a number within them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(pub(super) u64, pub(super) u64);

impl Position {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (millis, number) = std::str::from_utf8(text).ok()?.split_once('-')?;
        Some(Position(millis.parse().ok()?, number.parse().ok()?))
    }

    /// The next one that an entry could have.
    pub(super) fn next(self) -> Self {
        Position(self.0, self.1.saturating_add(1))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.0, self.1)
    }
}

/// An entry as Redis gives it.
#[derive(Debug)]
pub(super) struct Raw {
    /// Which of the streams that were asked for.
    pub(super) stream: usize,
    pub(super) at: Position,
    pub(super) fields: Vec<Value>,
}

/// Which of a reply's entries may be handed on now, in order of time. Streams with `limit` entries may have more: what came
/// later on other streams has to wait for that. Nothing: ask again with a higher limit.
pub(super) fn release(mut entries: Vec<Raw>, streams: usize, limit: usize) -> Vec<Raw> {
    let mut counts = vec![(0_usize, 0_u64); streams];
    for entry in &entries {
        if let Some((count, last)) = counts.get_mut(entry.stream) {
            *count += 1;
            *last = entry.at.0;
        }
    }
    let horizon = counts.iter().filter(|(count, _)| *count >= limit).map(|(_, last)| *last).min();
    if let Some(horizon) = horizon
        && streams > 1
    {
        entries.retain(|entry| entry.at.0 < horizon);
    }
    // Stable: within a millisecond each stream keeps its order; a sender's numbers put its streams together (`Merged`).
    entries.sort_by_key(|entry| entry.at.0);
    entries
}

/// Puts the events of one sender within one millisecond into its own order, across streams. Everything else stays.
pub(super) fn merge<T>(entries: &mut [T], key: impl Fn(&T) -> (u64, Option<Origin>)) {
    let mut begin = 0;
    while begin < entries.len() {
        let millis = key(&entries[begin]).0;
        let end =
            entries[begin..].iter().position(|entry| key(entry).0 != millis).map_or(entries.len(), |at| begin + at);
        entries[begin..end].sort_by_key(|entry| key(entry).1.map(|origin| (origin.sender, origin.seq)));
        begin = end;
    }
}

/// What has been heard of each sender on each stream.
#[derive(Debug, Default)]
pub(super) struct Senders {
    heard: HashMap<(usize, ServerId), Heard>,
}

#[derive(Debug)]
struct Heard {
    seq: u64,
    index: u64,
    when: Instant,
}

/// What an event's numbers say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the next one.
    Next,
    /// It was there before.
    Repeated,
    /// It is new, but so many before it are missing.
    Missed(u64),
}

impl Senders {
    /// At so many, those that were silent for long are forgotten: servers come and go.
    const MANY: usize = 4096;
    const LONG: Duration = Duration::from_secs(10 * 60);

    pub(super) fn judge(&mut self, stream: usize, origin: Origin) -> Verdict {
        let when = Instant::now();
        if self.heard.len() >= Self::MANY {
            self.heard.retain(|_, heard| when.duration_since(heard.when) < Self::LONG);
        }
        if self.heard.len() >= Self::MANY {
            // More than any application has: somebody makes them up.
            self.heard.clear();
        }
        let Origin { sender, seq, index } = origin;
        let Some(heard) = self.heard.get_mut(&(stream, sender)) else {
            // It may have been there long before this server.
            self.heard.insert((stream, sender), Heard { seq, index, when });
            return Verdict::Next;
        };
        heard.when = when;
        if seq <= heard.seq {
            return Verdict::Repeated;
        }
        // A sender that has forgotten a stream counts from 1 again.
        let begins_anew = index <= heard.index;
        let missed = if begins_anew { index.saturating_sub(1) } else { index - heard.index - 1 };
        (heard.seq, heard.index) = (seq, index);
        if missed == 0 { Verdict::Next } else { Verdict::Missed(missed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(stream: usize, millis: u64, number: u64) -> Raw {
        Raw { stream, at: Position(millis, number), fields: Vec::new() }
    }

    fn places(entries: &[Raw]) -> Vec<(usize, u64, u64)> {
        entries.iter().map(|entry| (entry.stream, entry.at.0, entry.at.1)).collect()
    }

    #[test]
    fn a_whole_reply_is_handed_on_in_order_of_time() {
        let entries = vec![raw(0, 1, 0), raw(0, 5, 0), raw(1, 3, 0)];
        assert_eq!(places(&release(entries, 2, 10)), [(0, 1, 0), (1, 3, 0), (0, 5, 0)]);
    }

    #[test]
    fn what_is_later_than_a_cut_stream_waits() {
        let entries = vec![raw(0, 1, 0), raw(0, 2, 0), raw(1, 1, 0), raw(1, 2, 0), raw(1, 9, 0)];
        assert_eq!(places(&release(entries, 2, 2)), [(0, 1, 0), (1, 1, 0)], "stream 0 may have more in millisecond 2");
        let all_at_once = vec![raw(0, 1, 0), raw(0, 1, 1), raw(1, 1, 0)];
        assert!(release(all_at_once, 2, 2).is_empty(), "a higher limit is needed");
        let alone = vec![raw(0, 1, 0), raw(0, 1, 1)];
        assert_eq!(release(alone, 1, 2).len(), 2, "one stream is in order by itself");
    }

    #[test]
    fn a_sender_is_in_order_across_streams() {
        let sender = ServerId::random();
        let origin = |seq| Some(Origin { sender, seq, index: seq });
        let mut entries = vec![(1, origin(3)), (1, origin(1)), (1, origin(2)), (2, None), (2, origin(4))];
        merge(&mut entries, |entry| *entry);
        let seqs: Vec<_> = entries.iter().map(|(_, origin)| origin.map(|origin| origin.seq)).collect();
        assert_eq!(seqs, [Some(1), Some(2), Some(3), None, Some(4)]);
    }

    #[test]
    fn repeated_and_missed_events_are_recognised() {
        let mut senders = Senders::default();
        let sender = ServerId::random();
        let mut judge = |seq, index| senders.judge(0, Origin { sender, seq, index });
        assert_eq!(judge(40, 7), Verdict::Next, "the first that is heard");
        assert_eq!(judge(41, 8), Verdict::Next);
        assert_eq!(judge(40, 7), Verdict::Repeated);
        assert_eq!(judge(41, 8), Verdict::Repeated);
        assert_eq!(judge(50, 12), Verdict::Missed(3));
        assert_eq!(judge(51, 13), Verdict::Next);
        assert_eq!(judge(90, 1), Verdict::Next, "counted anew");
        assert_eq!(senders.judge(1, Origin { sender, seq: 1, index: 1 }), Verdict::Next, "another stream");
    }

    #[test]
    fn positions_are_ids() {
        assert_eq!(Position::parse(b"12-3"), Some(Position(12, 3)));
        assert_eq!(Position(12, 3).next().to_string(), "12-4");
        for text in [&b"12"[..], b"-", b"a-1", b"1-b", b"\xff-1"] {
            assert_eq!(Position::parse(text), None);
        }
    }
}
