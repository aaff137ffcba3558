//! A stream that gives up when the other side takes nothing for too long. hyper bounds how long a request may take to
//! arrive; how long an answer may take to leave is bounded here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// `stream`, with a limit on each wait for room to write.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Runs while a write waits; made by the first one that does.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Patient { stream, patience, timer: None, waiting: false }
    }

    /// The stream itself, for those who have a limit of their own.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Passes on what a write said, unless it has said the same for too long.
    fn judge<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        let end = Instant::now() + self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const PATIENCE: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn who_reads_slowly_is_served() {
        let (here, mut there) = tokio::io::duplex(8);
        let mut here = Patient::new(here, PATIENCE);
        let writing = tokio::spawn(async move { here.write_all(&[0; 48]).await.map_err(|error| error.kind()) });
        let mut pace = tokio::time::interval(PATIENCE / 3);
        for _ in 0..6 {
            pace.tick().await;
            assert_eq!(there.read(&mut [0; 8]).await.ok(), Some(8));
        }
        assert_eq!(writing.await.ok(), Some(Ok(())));
    }

    #[tokio::test]
    async fn who_does_not_read_is_given_up() {
        let (here, _there) = tokio::io::duplex(8);
        let mut here = Patient::new(here, PATIENCE);
        assert_eq!(here.write_all(&[0; 24]).await.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
    }
}
