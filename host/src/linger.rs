//! A stream that does not hang up on a client that is still writing. Closing a socket with something unread in it is a
//! reset, which can overtake the answer that says why (RFC 9112, section 9.6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long the client has to read what was said and to hang up, too.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much of what it still writes is thrown away.
const DISCARD: usize = 1024 * 1024;

/// `stream`, whose shutdown waits for the other side's end.
pub(crate) struct Lingering<S> {
    stream: S,
    /// The other side has said all it will.
    ended: bool,
    discarded: usize,
    /// Made by the shutdown, once this side has ended.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub(crate) fn new(stream: S) -> Self {
        Lingering { stream, ended: false, discarded: 0, timer: None }
    }

    /// The stream itself.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, into));
        self.ended |= read.is_err() || into.filled().len() == before;
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.timer.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.timer = Some(Box::pin(tokio::time::sleep(PATIENCE)));
        }
        while !self.ended && self.discarded < DISCARD {
            let mut scratch = [0; 4096];
            let mut into = ReadBuf::new(&mut scratch);
            match self.as_mut().poll_read(context, &mut into) {
                Poll::Ready(_) => self.discarded += into.filled().len(),
                Poll::Pending => {
                    return self.timer.as_mut().map_or(Poll::Ready(()), |timer| timer.as_mut().poll(context)).map(Ok);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn who_still_writes_gets_the_answer() {
        let (here, mut there) = tokio::io::duplex(64);
        let mut here = Lingering::new(here);
        let ending = tokio::spawn(async move {
            here.write_all(b"too much").await?;
            here.shutdown().await
        });
        for _ in 0..100 {
            there.write_all(&[b'x'; 64]).await.expect("it is read");
        }
        let mut heard = [0; 8];
        there.read_exact(&mut heard).await.expect("the answer");
        assert_eq!(&heard, b"too much");
        drop(there);
        assert!(ending.await.expect("no panic").is_ok());
    }

    #[tokio::test]
    async fn who_never_ends_is_left() {
        let (here, mut there) = tokio::io::duplex(64);
        let ending = tokio::spawn(async move { Lingering::new(here).shutdown().await.is_ok() });
        while there.write_all(&[b'x'; 64]).await.is_ok() {}
        assert!(ending.await.expect("no panic"));
        let (here, _there) = tokio::io::duplex(64);
        assert!(Lingering::new(here).shutdown().await.is_ok(), "nor is who says nothing");
    }
}
