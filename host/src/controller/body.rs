//! The body of a client's request on its way into a guest: not longer than it may be, and not for ever in coming. What a
//! client does wrong here is its own fault and not the guest's, so that it is remembered until the call has ended.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::plain::NoAnswer;
use crate::clients::{Limit, Visitor};

/// How a body has been so far, shared between the body, which the guest has, and those who wait for the guest.
#[derive(Clone, Default)]
pub(super) struct Fault(Arc<AtomicU8>);

const NONE: u8 = 0;
const WAITING: u8 = 1;
const TOO_LARGE: u8 = 2;
const TOO_SLOW: u8 = 3;
const BROKEN: u8 = 4;

impl Fault {
    /// What the client is told instead of any answer, if its body was at fault.
    pub(super) fn verdict(&self) -> Option<NoAnswer> {
        match self.0.load(Ordering::Acquire) {
            TOO_LARGE => Some(NoAnswer::BodyTooLarge),
            TOO_SLOW => Some(NoAnswer::BodyTooSlow),
            BROKEN => Some(NoAnswer::BodyBroken),
            _ => None,
        }
    }

    /// The call ran out of time; whether that was for want of the body.
    pub(super) fn blame(&self, visitor: &Visitor) -> bool {
        let waited = self.0.compare_exchange(WAITING, TOO_SLOW, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if waited {
            visitor.met(Limit::BodyTimeout);
        }
        waited
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Release);
    }
}

/// A body within `max-body`, `body-timeout` and `min-body-rate`.
pub(super) struct Bounded<B> {
    body: B,
    visitor: Visitor,
    fault: Fault,
    /// How many bytes it may still have.
    room: usize,
    /// How long it may still be waited for in all.
    patience: Duration,
    since: Option<Instant>,
    /// Runs while the guest waits; made by the first wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body<Data = Bytes>> Bounded<B> {
    /// None: it says itself that it is too large.
    pub(super) fn new(body: B, visitor: Visitor, fault: Fault) -> Option<Self> {
        let settings = visitor.clients().settings();
        let (room, patience) = (settings.max_body, settings.body_timeout);
        if body.size_hint().lower() > room as u64 {
            visitor.met(Limit::Body);
            return None;
        }
        Some(Bounded { body, visitor, fault, room, patience, since: None, timer: None })
    }

    /// The guest waits no longer.
    fn arrived(&mut self) {
        if let Some(since) = self.since.take() {
            self.patience = self.patience.saturating_sub(since.elapsed());
            self.fault.set(NONE);
        }
    }

    /// So many bytes have come; false if that is too many.
    fn takes(&mut self, bytes: usize) -> bool {
        let settings = self.visitor.clients().settings();
        if bytes > 0 {
            let most = settings.body_timeout;
            let worth = match settings.min_body_rate {
                0 => most,
                #[expect(clippy::cast_precision_loss, reason = "a fraction of a second more or less")]
                rate => most.min(Duration::from_secs_f64(bytes as f64 / rate as f64)),
            };
            self.patience = most.min(self.patience + worth);
        }
        let left = self.room.checked_sub(bytes);
        self.room = left.unwrap_or(0);
        left.is_some()
    }

    /// Still nothing; true when that has been so for too long.
    fn is_too_slow(&mut self, context: &mut Context<'_>) -> bool {
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            self.fault.set(WAITING);
            timer.as_mut().reset(now + patience);
        }
        timer.as_mut().poll(context).is_ready()
    }
}

/// Whether the client broke the rules; who only leaves, or is cut off, breaks none.
fn is_malformed(error: &Error) -> bool {
    let Error::Hyper(error) = error else { return false };
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.fault.verdict().is_some() {
            return Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.arrived();
        }
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                if self.takes(frame.data_ref().map_or(0, Bytes::len)) {
                    return Poll::Ready(Some(Ok(frame)));
                }
                self.visitor.met(Limit::Body);
                self.fault.set(TOO_LARGE);
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))))
            }
            Poll::Ready(Some(Err(error))) => {
                self.visitor.met(if is_malformed(&error) { Limit::Http } else { Limit::BodyEnd });
                self.fault.set(BROKEN);
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.is_too_slow(context) => {
                self.visitor.met(Limit::BodyTimeout);
                self.fault.set(TOO_SLOW);
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
