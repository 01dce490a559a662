//! A time limit for writing: it fails if the peer reads nothing for a time. HTTP libraries wait without limit, and
//! HTTP/1.1 has no pings, so that a client that never reads would hold a slot, and delay a shutdown.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The longest time in which a peer may read nothing while data is pending.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream with a time limit for writing. It is for streams that wait in writing only, as TCP does, and not in
/// flushing.
pub(super) struct WriteTimeout<I> {
    io: I,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<I> WriteTimeout<I> {
    pub(super) fn new(io: I) -> Self {
        Self { io, stalled: None }
    }

    /// Returns the result of an attempt to write; fails if no attempt has succeeded for too long.
    fn written(&mut self, cx: &mut Context<'_>, attempt: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if attempt.is_ready() {
            self.stalled = None;
            return attempt;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for WriteTimeout<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(cx, attempt)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(cx, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_given_up() {
        let (_peer, server) = tokio::io::duplex(64);
        let mut server = WriteTimeout::new(server);
        let error = timeout(LONG, server.write_all(&[1; 65])).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_a_little_now_and_then_is_not() {
        let (mut peer, server) = tokio::io::duplex(64);
        let mut server = WriteTimeout::new(server);
        let reads = async {
            for _ in 0..100 {
                sleep(PATIENCE * 9 / 10).await;
                peer.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(server.write_all(&[1; 164]), reads);
        written.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_there_is_nothing_for_is_not() {
        let (mut peer, server) = tokio::io::duplex(64);
        let mut server = WriteTimeout::new(server);
        server.write_all(&[1; 64]).await.unwrap();
        sleep(LONG).await;
        peer.read_exact(&mut [0; 64]).await.unwrap();
        server.write_all(&[1; 64]).await.unwrap();
    }
}
