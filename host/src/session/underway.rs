//! Whether a message that has begun gets on: bytes that come now and then show that the client lives, and would keep a message
//! that is never whole for ever.

use std::time::Duration;

use tokio::time::Instant;

/// The message that was under way when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Underway(Option<Begun>);

#[derive(Debug)]
struct Begun {
    number: u32,
    since: Instant,
    /// Bytes heard by then.
    bytes: u64,
}

/// How long a message may take: so long, and a second more for so many bytes.
pub(super) struct Pace {
    pub(super) time: Duration,
    pub(super) rate: usize,
}

impl Underway {
    /// Looks again; whether the message is too slow. `message` is the number of the one that is not whole yet, if there is one
    /// and the client is read from.
    pub(super) fn is_too_slow(&mut self, message: Option<u32>, bytes: u64, pace: &Pace) -> bool {
        let Some(number) = message else {
            self.0 = None;
            return false;
        };
        match &self.0 {
            Some(begun) if begun.number == number => {
                let heard = bytes - begun.bytes;
                let worth = match pace.rate {
                    0 if heard > 0 => return false,
                    0 => Duration::ZERO,
                    #[expect(clippy::cast_precision_loss, reason = "a fraction of a second more or less")]
                    rate => Duration::from_secs_f64(heard as f64 / rate as f64),
                };
                begun.since.elapsed() > pace.time + worth
            }
            _ => {
                self.0 = Some(Begun { number, since: Instant::now(), bytes });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_message_for_too_long_and_too_few_bytes() {
        let pace = Pace { time: Duration::from_millis(20), rate: 1000 };
        let mut underway = Underway::default();
        assert!(!underway.is_too_slow(Some(1), 10, &pace));
        tokio::time::sleep(pace.time * 2).await;
        assert!(!underway.is_too_slow(Some(1), 1010, &pace), "a second's worth");
        assert!(underway.is_too_slow(Some(1), 12, &pace));
        assert!(!underway.is_too_slow(Some(2), 12, &pace), "another one");
        tokio::time::sleep(pace.time * 2).await;
        assert!(!underway.is_too_slow(None, 12, &pace) && !underway.is_too_slow(Some(2), 12, &pace), "begun anew");
    }
}
