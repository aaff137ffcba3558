//! What the HTTP connection of a client is waited for: the rest of a head, nothing (a request is being answered), or another
//! request. The library has one time-out for both kinds of waiting, but a head that does not come is an attack, and a silent
//! client between two requests is a balancer that keeps its connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What a connection is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The rest of a head; from the beginning of the connection on, or from a request's first byte.
    Head,
    /// Nothing: a request is being answered.
    Request,
    /// The first byte of another request.
    Idle,
}

/// The phase of one connection, shared between its stream, its requests and its time-out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phases(Arc<AtomicU64>);

impl Phases {
    /// A request has been understood; its phase lasts as long as the value.
    pub(crate) fn request(&self) -> Answering {
        self.enter(Phase::Request);
        Answering(self.clone())
    }

    /// Bytes have come.
    fn heard(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    fn phase(&self) -> Phase {
        [Phase::Head, Phase::Request, Phase::Idle, Phase::Head][(self.0.load(Ordering::Acquire) & 3) as usize]
    }

    /// Each change has a number, so that a phase is told from the same one before.
    fn enter(&self, phase: Phase) {
        let number = self.0.load(Ordering::Acquire) >> 2;
        self.0.store(number.wrapping_add(1) << 2 | phase as u64, Ordering::Release);
    }
}

/// A request that is being answered.
pub(crate) struct Answering(Phases);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

/// The time-outs of the phases of one connection. It is polled by the task that serves the connection, after each step.
pub(crate) struct PhaseTimeout {
    phases: Phases,
    head: Duration,
    idle: Duration,
    /// The phase that the timer runs for, with its number.
    seen: u64,
    timer: Pin<Box<Sleep>>,
}

impl PhaseTimeout {
    pub(crate) fn new(phases: &Phases, head: Duration, idle: Duration) -> Self {
        PhaseTimeout { phases: phases.clone(), head, idle, seen: 0, timer: Box::pin(tokio::time::sleep(head)) }
    }

    /// Ready when a phase has lasted too long.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Phase> {
        let (now, phase) = (self.phases.0.load(Ordering::Acquire), self.phases.phase());
        let limit = match phase {
            Phase::Head => self.head,
            Phase::Idle => self.idle,
            Phase::Request => {
                self.seen = now;
                return Poll::Pending;
            }
        };
        if self.seen != now {
            self.seen = now;
            self.timer.as_mut().reset(Instant::now() + limit);
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(phase)
    }
}

/// `stream`, which tells when something is heard.
pub(crate) struct Watched<S> {
    stream: S,
    phases: Phases,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, phases: &Phases) -> Self {
        Watched { stream, phases: phases.clone() }
    }

    /// The stream itself.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, into));
        if into.filled().len() > before {
            self.phases.heard();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const HEAD: Duration = Duration::from_millis(100);
    const IDLE: Duration = Duration::from_millis(500);

    /// Which phase ends the connection, and after how long.
    async fn passes(timeout: &mut PhaseTimeout) -> (Phase, Duration) {
        let begun = Instant::now();
        let phase = poll_fn(|context| timeout.poll(context)).await;
        (phase, begun.elapsed())
    }

    #[tokio::test]
    async fn each_wait_has_its_own_time() {
        let phases = Phases::default();
        let mut timeout = PhaseTimeout::new(&phases, HEAD, IDLE);
        assert_eq!(passes(&mut timeout).await.0, Phase::Head);

        let mut timeout = PhaseTimeout::new(&phases, HEAD, IDLE);
        let answering = phases.request();
        let none = tokio::time::timeout(2 * HEAD, passes(&mut timeout)).await;
        assert!(none.is_err(), "an answer takes as long as it takes");
        drop(answering);
        let (phase, after) = passes(&mut timeout).await;
        assert!(phase == Phase::Idle && after >= IDLE, "{phase:?} after {after:?}");
    }

    #[tokio::test]
    async fn a_head_begins_with_its_first_byte_and_each_request_starts_anew() {
        let phases = Phases::default();
        let mut timeout = PhaseTimeout::new(&phases, HEAD, IDLE);
        for _ in 0..3 {
            drop(phases.request());
            assert!(tokio::time::timeout(IDLE / 2, passes(&mut timeout)).await.is_err());
        }
        phases.heard();
        phases.heard();
        let (phase, after) = passes(&mut timeout).await;
        assert!(phase == Phase::Head && after < IDLE, "{phase:?} after {after:?}");
    }
}
