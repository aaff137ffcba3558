//! The body of an answer on its way to the client: half of one must not pass for a whole one, and one that the host has let go of
//! makes what follows the client's matter.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;
use wasmtime_wasi_http::Error;

use crate::controller::body::Fault;

/// What the client's side and the guest's side of one request tell each other.
#[derive(Debug, Default)]
pub(super) struct Between {
    /// The guest has failed in the middle of its answer.
    failed: AtomicBool,
    /// The client has not yet taken the last piece that the guest has made: it is the client that is waited for.
    unread: AtomicBool,
    /// The answer goes to nobody any more.
    let_go: AtomicBool,
    gone: Notify,
}

impl Between {
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Acquire)
    }

    pub(super) fn is_let_go(&self) -> bool {
        self.let_go.load(Ordering::Acquire)
    }

    /// Waits until the answer goes to nobody.
    pub(super) async fn gone(&self) {
        let gone = self.gone.notified();
        if !self.is_let_go() {
            gone.await;
        }
    }
}

/// Whoever waits for the answer, or passes it on; when it is dropped before the end, the answer is let go of.
pub(super) struct Waiting(Option<Arc<Between>>);

impl Waiting {
    pub(super) fn new(between: &Arc<Between>) -> Self {
        Waiting(Some(Arc::clone(between)))
    }

    /// It has come to its end.
    pub(super) fn is_served(&mut self) {
        self.0 = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(between) = &self.0 {
            between.let_go.store(true, Ordering::Release);
            between.gone.notify_one();
        }
    }
}

/// The body of an answer, which ends well only if neither the guest nor the client has failed.
pub(super) struct Whole<B> {
    body: B,
    between: Arc<Between>,
    /// The client's own body may turn out wrong after the answer has begun.
    fault: Fault,
    waiting: Waiting,
    /// What is still to come of it, if its head says how long it is: who passes it on does not ask for more.
    left: Option<u64>,
}

impl<B> Whole<B> {
    pub(super) fn new(body: B, length: Option<u64>, between: Arc<Between>, fault: Fault, waiting: Waiting) -> Self {
        Whole { body, left: length, between, fault, waiting }
    }

    /// Whether nothing comes behind this piece: it is the last one, or the guest has given up.
    fn is_last(&mut self, piece: &Result<Frame<Bytes>, Error>) -> bool {
        let Some(data) = piece.as_ref().ok().and_then(Frame::data_ref) else { return true };
        self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
        self.left == Some(0)
    }
}

#[derive(Debug, thiserror::Error)]
enum Half {
    #[error("the controller failed in the middle of its answer")]
    Controller,
    #[error("the client's body was wrong, and the answer to it is cut off")]
    Client,
}

impl<B> Body for Whole<B>
where
    B: Body<Data = Bytes, Error = Error> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.between.unread.store(false, Ordering::Release);
        let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.between.unread.store(polled.is_some(), Ordering::Release);
        if let Some(piece) = polled {
            if self.is_last(&piece) {
                self.between.unread.store(false, Ordering::Release);
                self.waiting.is_served();
            }
            return Poll::Ready(Some(piece.map_err(Into::into)));
        }
        self.waiting.is_served();
        let half = if self.between.failed.swap(false, Ordering::AcqRel) {
            Half::Controller
        } else if self.fault.verdict().is_some() {
            Half::Client
        } else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Err(half.into())))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
