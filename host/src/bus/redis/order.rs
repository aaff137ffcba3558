//! In which order entries are handed on, and how many are asked for.

use redis::Value;

use super::entry::Origin;

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
        self.1.checked_add(1).map_or(Position(self.0.saturating_add(1), 0), |number| Position(self.0, number))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.0, self.1)
    }
}

/// How many bytes the fields of an entry have.
pub(super) fn weight(fields: &[Value]) -> usize {
    let length = |field: &Value| if let Value::BulkString(bytes) = field { bytes.len() } else { 0 };
    fields.iter().map(length).sum()
}

/// An entry as Redis gives it.
#[derive(Debug)]
pub(super) struct Raw {
    /// Which of the streams that were asked for.
    pub(super) stream: usize,
    pub(super) at: Position,
    pub(super) fields: Vec<Value>,
    /// How many bytes the fields have; of one that is too large they are not kept.
    pub(super) bytes: usize,
    pub(super) too_large: bool,
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

/// How many entries of each stream are asked for at a time: few after a rest, and after large ones, so that one answer does not
/// take much memory, whatever others have put there; more while there are more and they are small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Appetite(usize);

impl Appetite {
    const FEW: usize = 16;
    const MANY: usize = 256;
    /// An answer of more bytes is followed by a smaller one.
    const BYTES: usize = 1024 * 1024;

    pub(super) fn new() -> Self {
        Appetite(Self::FEW)
    }

    /// So many.
    pub(super) fn of(count: usize) -> Self {
        Appetite(count)
    }

    pub(super) fn count(self) -> usize {
        self.0
    }

    /// An answer had so many bytes, and there may be more or not.
    pub(super) fn had(&mut self, bytes: usize, may_be_more: bool) {
        self.0 = if bytes > Self::BYTES {
            // Exact enough: a count is small, and so is the quotient.
            (self.0 / bytes.div_ceil(Self::BYTES)).max(1)
        } else if may_be_more {
            self.0.max(self.0.saturating_mul(4).min(Self::MANY))
        } else {
            Self::FEW
        };
    }

    /// Nothing of the answer could be used without what comes behind it.
    pub(super) fn need_more(&mut self) {
        self.0 = self.0.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ServerId;

    fn raw(stream: usize, millis: u64, number: u64) -> Raw {
        Raw { stream, at: Position(millis, number), fields: Vec::new(), bytes: 0, too_large: false }
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
    fn small_entries_are_read_by_the_hundred_and_large_ones_one_by_one() {
        let mut appetite = Appetite::new();
        assert_eq!(appetite.count(), 16, "after a rest");
        let mut had = |bytes, more| {
            appetite.had(bytes, more);
            appetite.count()
        };
        assert_eq!([had(4_000, true), had(20_000, true), had(80_000, true), had(80_000, false)], [64, 256, 256, 16]);
        assert_eq!([had(160 << 20, true), had(10 << 20, true), had(10 << 20, false)], [1, 1, 1]);
        assert_eq!([had(100, true), had(2 << 20, true)], [4, 2]);
        appetite.need_more();
        assert_eq!(appetite.count(), 4);
    }

    #[test]
    fn positions_are_ids() {
        assert_eq!(Position::parse(b"12-3"), Some(Position(12, 3)));
        assert_eq!(Position(12, 3).next().to_string(), "12-4");
        assert_eq!(Position(12, u64::MAX).next(), Position(13, 0));
        for text in [&b"12"[..], b"-", b"a-1", b"1-b", b"\xff-1"] {
            assert_eq!(Position::parse(text), None);
        }
    }
}
