//! A body that holds something for as long as it lasts, and is as long as it was.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

/// `body`, and what is dropped with it.
pub(crate) struct Tied<B, T> {
    body: B,
    _with: T,
}

impl<B, T> Tied<B, T> {
    pub(crate) fn new(body: B, with: T) -> Self {
        Tied { body, _with: with }
    }
}

impl<B: Body + Unpin, T: Unpin> Body for Tied<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
