//! Handshakes: how long one may take, how many there may be at a time, and what must come of it. They run in their
//! connections' tasks; the accept loop waits for none.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::certificate::sans;
use super::reload::Tls;
use crate::grpc::accept::Limits;
use crate::grpc::connection::PeerNames;

/// A listener's handshakes.
pub(super) struct Handshakes {
    tls: Arc<Tls>,
    within: Duration,
    most: usize,
    room: Semaphore,
    full: AtomicBool,
}

impl Handshakes {
    pub(super) fn new(tls: Arc<Tls>, limits: &Limits) -> Self {
        let most = limits.max_handshakes;
        Self {
            tls,
            within: limits.first_bytes,
            most,
            room: Semaphore::new(most),
            full: AtomicBool::new(false),
        }
    }

    /// Shakes hands until there is HTTP/2 to be spoken, and tells the names in the certificate that the client
    /// presented; `None` where the connection is to be closed.
    pub(super) async fn shake(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        shutdown: &CancellationToken,
    ) -> Option<(TlsStream<TcpStream>, Option<PeerNames>)> {
        let shaking = tokio::time::timeout(self.within, self.stream(tcp));
        let stream = shutdown.run_until_cancelled(shaking).await?;
        match stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let names = certificate.map(|certificate| PeerNames(sans(certificate).into()));
                Some((stream, names))
            }
            // At debug: scanners and probes would fill the log.
            Err(error) => {
                tracing::debug!(%peer, %error, "tls handshake failed");
                None
            }
        }
    }

    async fn stream(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        // Who says nothing takes no room from those who do. (`readable` may be true for no reason.)
        tcp.peek(&mut [0]).await?;
        let _room = self.room()?;
        let stream = TlsAcceptor::from(self.tls.config()).accept(tcp).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(io::Error::other("the client does not speak HTTP/2 (ALPN h2)"))
        }
    }

    /// Refused rather than queued: more than can be finished in time would all time out.
    fn room(&self) -> io::Result<SemaphorePermit<'_>> {
        if let Ok(room) = self.room.try_acquire() {
            if self.room.available_permits() + 1 == self.most {
                self.full.store(false, Ordering::Relaxed);
            }
            return Ok(room);
        }
        if !self.full.swap(true, Ordering::Relaxed) {
            tracing::warn!(max_handshakes = self.most, "too many tls handshakes, refusing more");
        }
        Err(io::Error::other("too many handshakes"))
    }
}
