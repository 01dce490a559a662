//! A time limit for the first bytes of a connection: reading fails unless they arrive in time and before the server
//! drains. Afterwards it costs one branch a read. HTTP libraries wait for the first bytes without limit, so that a
//! silent peer would hold a slot, and delay a shutdown, indefinitely.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio_util::sync::CancellationToken;

/// The length of the HTTP/2 preface; no HTTP/1.1 request with its Host header is shorter.
const ENOUGH: usize = 24;

/// The size of the write buffer in bytes: a response with its headers and tokens fits.
const WRITTEN_AT_ONCE: usize = 4096;

type Expiry = Pin<Box<dyn Future<Output = io::Error> + Send>>;

/// A stream whose first bytes must arrive in time.
pub(super) struct PrefaceTimeout<I> {
    io: BufWriter<I>,
    missing: usize,
    expiry: Option<Expiry>,
}

impl<I: AsyncWrite> PrefaceTimeout<I> {
    /// Limits the time for the first bytes of `io` to `within`, and to `shutdown`.
    pub(super) fn new(io: I, within: Duration, shutdown: CancellationToken) -> Self {
        let expiry: Expiry = Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(within) => io::ErrorKind::TimedOut.into(),
                () = shutdown.cancelled_owned() => io::ErrorKind::ConnectionAborted.into(),
            }
        });
        let io = BufWriter::with_capacity(WRITTEN_AT_ONCE, io);
        Self { io, missing: ENOUGH, expiry: Some(expiry) }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for PrefaceTimeout<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(expiry) = &mut this.expiry else {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        };
        if let Poll::Ready(error) = expiry.as_mut().poll(cx) {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        this.missing = this.missing.saturating_sub(buf.filled().len() - before);
        if this.missing == 0 {
            this.expiry = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for PrefaceTimeout<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    /// Returns false, so that h2 copies responses together and writes many at once. Vectored, it would write each
    /// response of 256 bytes or more separately, and a session has some 250 without claims. It writes larger responses,
    /// such as tokens, in two parts; the buffer joins them until h2 flushes.
    fn is_write_vectored(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Records the data of each write.
    #[derive(Clone, Default)]
    struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

    impl AsyncWrite for Writes {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().push(buf.to_vec());
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncRead for Writes {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_written_in_parts_goes_out_at_once() {
        let writes = Writes::default();
        let mut server = PrefaceTimeout::new(writes.clone(), LONG, CancellationToken::new());
        server.write_all(&[1; 1024]).await.unwrap();
        server.write_all(&[2; 300]).await.unwrap();
        assert!(writes.0.lock().unwrap().is_empty());
        server.flush().await.unwrap();
        assert_eq!(*writes.0.lock().unwrap(), [[vec![1; 1024], vec![2; 300]].concat()]);
    }

    #[tokio::test]
    async fn writes_larger_than_the_buffer_keep_the_order() {
        let writes = Writes::default();
        let mut server = PrefaceTimeout::new(writes.clone(), LONG, CancellationToken::new());
        server.write_all(&[1; 10]).await.unwrap();
        server.write_all(&[2; 2 * WRITTEN_AT_ONCE]).await.unwrap();
        server.flush().await.unwrap();
        assert_eq!(*writes.0.lock().unwrap(), [vec![1; 10], vec![2; 2 * WRITTEN_AT_ONCE]]);
    }

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_drips_its_preface_is_timed_out() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = PrefaceTimeout::new(server, Duration::from_secs(10), CancellationToken::new());
        client.write_all(b"PRI").await.unwrap();
        let mut read = Vec::new();
        let error = server.read_to_end(&mut read).await.unwrap_err();
        assert_eq!((error.kind(), read.as_slice()), (io::ErrorKind::TimedOut, b"PRI".as_slice()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_sent_the_preface_may_be_idle_indefinitely() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = PrefaceTimeout::new(server, Duration::from_secs(10), CancellationToken::new());
        client.write_all(&[1; ENOUGH]).await.unwrap();
        server.read_exact(&mut [0; ENOUGH]).await.unwrap();
        assert!(tokio::time::timeout(LONG, server.read_u8()).await.is_err());
    }

    #[tokio::test]
    async fn a_shutdown_ends_the_wait() {
        let (_client, server) = tokio::io::duplex(64);
        let shutdown = CancellationToken::new();
        let mut server = PrefaceTimeout::new(server, LONG, shutdown.clone());
        shutdown.cancel();
        assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
