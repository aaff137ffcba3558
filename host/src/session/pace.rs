//! How fast one client is listened to. A message costs a count and a comparison; the clock is looked at once a burst.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

use crate::bucket::{Bucket, Rate};

/// How many times a second a client that is too fast is listened to again at the most: each takes a timer.
const RESUMES: u32 = 20;

/// What a session may still read.
pub(super) struct Pace {
    /// Taken from the bucket and not yet used.
    left: u32,
    rate: Rate,
    bucket: Bucket,
    /// Runs while the client is not listened to; made for the first time that it is too fast.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

/// Whether the client may be read from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Now,
    /// Not now, and it is the first that is said of this wait; the task is woken when it may.
    NotNow,
    /// Still not.
    NotYet,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Pace { left: 0, rate, bucket: Bucket::full(rate, Instant::now()), timer: None, waiting: false }
    }

    /// Something was read.
    pub(super) fn spend(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Read {
        if self.left > 0 { Read::Now } else { self.fill(context) }
    }

    /// The client is silent because it is not listened to.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting
    }

    #[cold]
    fn fill(&mut self, context: &mut Context<'_>) -> Read {
        let Rate { per_second, burst } = self.rate;
        let batch = (per_second / RESUMES).clamp(1, burst.max(1));
        loop {
            if let Some(timer) = &mut self.timer
                && self.waiting
                && timer.as_mut().poll(context).is_pending()
            {
                return Read::NotYet;
            }
            let pause = match self.bucket.take_all(batch, self.rate, Instant::now()) {
                Ok(taken) => {
                    self.left = taken;
                    self.waiting = false;
                    return Read::Now;
                }
                Err(pause) => pause,
            };
            let end = tokio::time::Instant::now() + pause;
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
            timer.as_mut().reset(end);
            if !std::mem::replace(&mut self.waiting, true) {
                // Polled once, so that it wakes the task.
                if timer.as_mut().poll(context) == Poll::Pending {
                    return Read::NotNow;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn read(pace: &mut Pace) -> bool {
        let mut waited = false;
        std::future::poll_fn(|context| match pace.poll(context) {
            Read::Now => Poll::Ready(()),
            Read::NotNow | Read::NotYet => {
                waited = true;
                Poll::Pending
            }
        })
        .await;
        pace.spend();
        waited
    }

    #[tokio::test]
    async fn a_burst_and_then_the_rate() {
        let begin = Instant::now();
        let mut pace = Pace::new(Rate { per_second: 1000, burst: 100 });
        let mut waits = 0;
        for _ in 0..300 {
            waits += u32::from(read(&mut pace).await);
        }
        let taken = begin.elapsed();
        assert!(taken >= Duration::from_millis(150), "200 of them at 1000 a second: {taken:?}");
        assert!(taken < Duration::from_secs(5), "{taken:?}");
        assert!((1..=6).contains(&waits), "one timer for a batch: {waits}");
        assert!(!pace.is_waiting());
    }

    #[tokio::test]
    async fn a_rate_below_the_batches() {
        let mut pace = Pace::new(Rate { per_second: 10, burst: 1 });
        assert!(!read(&mut pace).await);
        assert!(read(&mut pace).await, "after a tenth of a second");
    }
}
