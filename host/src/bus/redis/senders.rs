//! What has been heard of each server on each stream, by the numbers of its events: which of them were there before, and which
//! are missing. Anybody who may write to Redis can write in the name of a server; what is made up must not silence the server
//! that lives.
//!
//! What one sender has put on one stream is a *chain*: indices without a gap, and numbers that grow. An event is a repetition
//! only if it lies inside a chain that was heard, where exactly one event can have its index. So an entry that is made up
//! displaces one event at the most, which it has to name exactly, and the sender's next ones go on beside it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::entry::Origin;
use crate::ids::ServerId;

/// Chains of one sender on one stream that are remembered. Gaps and servers that count anew make some, a few at the most
/// within the time in which anything comes again.
const CHAINS: usize = 8;

/// Events before the first that was heard that may come again, when a server has begun to read between an event and its
/// repetition: more than a sender keeps (8 MiB of at least 192 bytes each).
const EARLIER: u64 = 65_536;

/// From the first of those on, all others come within this. Whatever comes later is none.
const EARLIER_FOR: Duration = Duration::from_secs(10);

/// By how much the numbers of a sender may have grown from one event on a stream to the next: what a server emits in months
/// that does nothing else.
const JUMP: u64 = 1 << 40;

/// What has been heard of each sender on each stream.
#[derive(Debug, Default)]
pub(super) struct Senders {
    heard: HashMap<(usize, ServerId), Heard>,
}

#[derive(Debug)]
struct Heard {
    /// The one that was heard last comes last.
    chains: Vec<Chain>,
    /// The number of the first event that was heard.
    first: u64,
    /// When one before it came.
    earlier: Option<Instant>,
    when: Instant,
}

/// Numbers of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    seq: u64,
    index: u64,
}

#[derive(Debug)]
struct Chain {
    from: Place,
    to: Place,
    /// So many of it were taken for repetitions of what was before the first.
    taken_for_earlier: u64,
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
    /// It is new, and its numbers and those heard before can not be of one server: some were made up. So many new ones were
    /// taken for repetitions because of that.
    Contradicts(u64),
    /// No server counts like this.
    Implausible,
}

impl Senders {
    /// At so many, those that were silent for long are forgotten: servers come and go.
    const MANY: usize = 4096;
    const LONG: Duration = Duration::from_secs(10 * 60);

    pub(super) fn judge(&mut self, stream: usize, origin: Origin) -> Verdict {
        self.judge_at(stream, origin, Instant::now())
    }

    fn judge_at(&mut self, stream: usize, origin: Origin, when: Instant) -> Verdict {
        if self.heard.len() >= Self::MANY {
            self.heard.retain(|_, heard| when.duration_since(heard.when) < Self::LONG);
        }
        if self.heard.len() >= Self::MANY {
            // More than any application has: somebody makes them up.
            self.heard.clear();
        }
        let at = Place { seq: origin.seq, index: origin.index };
        if let Some(heard) = self.heard.get_mut(&(stream, origin.sender)) {
            heard.when = when;
            return heard.judge(at, when);
        }
        // It may have been there long before this server.
        let heard = Heard { chains: vec![Chain::of(at)], first: at.seq, earlier: None, when };
        self.heard.insert((stream, origin.sender), heard);
        Verdict::Next
    }
}

impl Heard {
    fn judge(&mut self, at: Place, now: Instant) -> Verdict {
        if self.chains.iter().rev().any(|chain| chain.has(at)) {
            return Verdict::Repeated;
        }
        let goes_on = |chain: &&mut Chain| chain.to.is_followed_by(at);
        if let Some(chain) = self.chains.iter_mut().filter(goes_on).max_by_key(|chain| chain.to.seq) {
            chain.to = at;
            if chain.taken_for_earlier == 0 {
                return Verdict::Next;
            }
            if self.earlier.is_some_and(|since| now.duration_since(since) < EARLIER_FOR) {
                chain.taken_for_earlier += 1;
                return Verdict::Repeated;
            }
            return Verdict::Contradicts(std::mem::take(&mut chain.taken_for_earlier));
        }
        let highest = self.chains.iter().map(|chain| chain.to.seq).max().unwrap_or_default();
        let below = self.chains.iter().map(|chain| chain.to).filter(|to| to.seq < at.seq).max_by_key(|to| to.seq);
        let mut chain = Chain::of(at);
        let verdict = match below {
            Some(below) => {
                let (events, indices) = (at.seq - below.seq, at.index.checked_sub(below.index));
                if events > JUMP || indices.is_some_and(|indices| indices > events) {
                    return Verdict::Implausible;
                }
                // A sender that has forgotten a stream counts from 1 again.
                let missed = indices.filter(|indices| *indices > 0).unwrap_or(at.index).saturating_sub(1);
                match missed {
                    _ if at.seq < highest => Verdict::Contradicts(0),
                    0 => Verdict::Next,
                    missed => Verdict::Missed(missed),
                }
            }
            None if self.is_earlier(at, now) => {
                chain.taken_for_earlier = 1;
                Verdict::Repeated
            }
            None => Verdict::Contradicts(0),
        };
        if self.chains.len() == CHAINS {
            self.chains.remove(0);
        }
        self.chains.push(chain);
        verdict
    }

    /// Whether it may be what was sent before this server has heard the first event, and is sent again.
    fn is_earlier(&mut self, at: Place, now: Instant) -> bool {
        let since = *self.earlier.get_or_insert(now);
        at.seq < self.first && self.first - at.seq <= EARLIER && now.duration_since(since) < EARLIER_FOR
    }
}

impl Place {
    /// Whether the other one is the next of the same chain.
    fn is_followed_by(self, other: Place) -> bool {
        self.index + 1 == other.index && self.seq < other.seq && other.seq - self.seq <= JUMP
    }

    /// Whether there may be a chain from here to there.
    fn leads_to(self, other: Place) -> bool {
        let (Some(events), Some(indices)) = (other.seq.checked_sub(self.seq), other.index.checked_sub(self.index))
        else {
            return false;
        };
        events >= indices && (events == 0) == (indices == 0)
    }
}

impl Chain {
    fn of(at: Place) -> Self {
        Chain { from: at, to: at, taken_for_earlier: 0 }
    }

    fn has(&self, at: Place) -> bool {
        self.from.leads_to(at) && at.leads_to(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sender on one stream.
    struct One(Senders, ServerId, Instant);

    impl One {
        fn new() -> Self {
            One(Senders::default(), ServerId::random(), Instant::now())
        }

        fn judge(&mut self, seq: u64, index: u64) -> Verdict {
            self.0.judge_at(0, Origin { sender: self.1, seq, index }, self.2)
        }

        fn later(&mut self, time: Duration) {
            self.2 += time;
        }
    }

    #[test]
    fn repeated_and_missed_events_are_recognised() {
        let mut one = One::new();
        assert_eq!(one.judge(40, 7), Verdict::Next, "the first that is heard");
        assert_eq!(one.judge(41, 8), Verdict::Next);
        assert_eq!(one.judge(40, 7), Verdict::Repeated);
        assert_eq!(one.judge(41, 8), Verdict::Repeated);
        assert_eq!(one.judge(50, 12), Verdict::Missed(3));
        assert_eq!(one.judge(51, 13), Verdict::Next);
        assert_eq!(one.judge(90, 1), Verdict::Next, "counted anew");
        assert_eq!(one.judge(91, 2), Verdict::Next);
        for (seq, index) in [(40, 7), (41, 8), (50, 12), (51, 13), (90, 1), (91, 2)] {
            assert_eq!(one.judge(seq, index), Verdict::Repeated, "{seq}");
        }
        let origin = Origin { sender: one.1, seq: 1, index: 1 };
        assert_eq!(one.0.judge(1, origin), Verdict::Next, "another stream");
    }

    #[test]
    fn who_was_cut_off_for_long_goes_on() {
        let mut one = One::new();
        assert_eq!(one.judge(10, 10), Verdict::Next);
        one.later(Duration::from_secs(3600 * 24 * 30));
        assert_eq!(one.judge(200_000_000_000, 5_000), Verdict::Missed(4_989));
        assert_eq!(one.judge(200_000_000_001, 5_001), Verdict::Next);
    }

    #[test]
    fn what_is_made_up_does_not_silence_the_sender() {
        for (seq, index) in [(5_000, 101), (5_000, 150), (1_000_000, 900_000), (101 + (1 << 39), 101), (200, 3)] {
            let mut one = One::new();
            for number in 1..=100 {
                assert_eq!(one.judge(number, number), Verdict::Next);
            }
            let made_up = one.judge(seq, index);
            assert_ne!(made_up, Verdict::Repeated, "{seq} {index}");
            let (mut repeated, mut told) = (0, u64::from(matches!(made_up, Verdict::Missed(_))));
            for number in 101..=300 {
                match one.judge(number, number) {
                    Verdict::Repeated => repeated += 1,
                    Verdict::Contradicts(_) | Verdict::Missed(_) => told += 1,
                    Verdict::Next => {}
                    Verdict::Implausible => panic!("{number} after {seq} {index}"),
                }
            }
            assert_eq!(repeated, 0, "{seq} {index}");
            assert!((1..=3).contains(&told), "{told} after {seq} {index}");
            for number in 1..=300 {
                assert_eq!(one.judge(number, number), Verdict::Repeated, "{number} again, after {seq} {index}");
            }
        }
    }

    #[test]
    fn what_names_the_next_event_exactly_displaces_that_one() {
        let mut one = One::new();
        assert_eq!(
            (one.judge(1, 1), one.judge(2, 2), one.judge(2, 2)),
            (Verdict::Next, Verdict::Next, Verdict::Repeated)
        );
        assert_eq!(one.judge(3, 3), Verdict::Next);
    }

    #[test]
    fn what_no_server_counts_is_refused() {
        let mut one = One::new();
        assert_eq!(one.judge(1, 1), Verdict::Next);
        assert_eq!(one.judge(2 + JUMP, 3), Verdict::Implausible);
        assert_eq!(one.judge(3, 10), Verdict::Implausible, "nine on this stream, and two in all");
        assert_eq!(one.judge(2, 2), Verdict::Next);
    }

    #[test]
    fn what_was_sent_before_this_server_is_not_new() {
        let mut one = One::new();
        assert_eq!(one.judge(40, 40), Verdict::Next);
        // The sender was not sure, and has sent what this server has not seen again.
        for number in 30..=40 {
            assert_eq!(one.judge(number, number), Verdict::Repeated);
        }
        assert_eq!(one.judge(41, 41), Verdict::Next);
        one.later(Duration::from_secs(3600));
        for number in 30..=41 {
            assert_eq!(one.judge(number, number), Verdict::Repeated);
        }
    }

    #[test]
    fn who_was_made_up_before_it_was_heard_is_heard_after_ten_seconds() {
        let mut one = One::new();
        assert_eq!(one.judge(1_000, 1_000), Verdict::Next, "made up");
        assert_eq!(one.judge(1, 1), Verdict::Repeated);
        assert_eq!(one.judge(2, 2), Verdict::Repeated);
        one.later(EARLIER_FOR);
        assert_eq!(one.judge(3, 3), Verdict::Contradicts(2));
        assert_eq!(one.judge(4, 4), Verdict::Next);
        let mut one = One::new();
        assert_eq!(one.judge(1 << 50, 1 << 40), Verdict::Next, "made up");
        assert_eq!(one.judge(1, 1), Verdict::Contradicts(0));
        assert_eq!(one.judge(2, 2), Verdict::Next);
    }

    #[test]
    fn many_lies_are_no_more_than_lines() {
        let mut one = One::new();
        let mut repeated = 0;
        for number in 1..=1_000 {
            repeated += u64::from(one.judge(number, number) == Verdict::Repeated);
            for lie in 0..3 {
                one.judge(number * 1_000_003 + lie * 7, number + lie);
            }
        }
        assert_eq!(repeated, 0);
    }
}
