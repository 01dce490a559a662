//! Handshakes: how long one may take, how many there may be at a time, and what must come of it. They run in their
//! connections' tasks; the accept loop waits for none.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::certificate::sans;
use super::reload::Tls;
use super::room::Room;
use crate::grpc::accept::Limits;
use crate::grpc::connection::PeerNames;
use crate::grpc::must_read::MustRead;

/// A listener's handshakes.
pub(super) struct Handshakes {
    tls: Arc<Tls>,
    within: Duration,
    room: Room,
}

impl Handshakes {
    pub(super) fn new(tls: Arc<Tls>, limits: &Limits) -> Self {
        Self { tls, within: limits.first_bytes, room: Room::new(limits.max_handshakes) }
    }

    /// Shakes hands until there is HTTP/2 to be spoken, and tells the names in the certificate that the client
    /// presented; `None` where the connection is to be closed.
    pub(super) async fn shake(
        &self,
        tcp: MustRead<TcpStream>,
        peer: SocketAddr,
        shutdown: &CancellationToken,
    ) -> Option<(TlsStream<MustRead<TcpStream>>, Option<PeerNames>)> {
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

    async fn stream(&self, tcp: MustRead<TcpStream>) -> io::Result<TlsStream<MustRead<TcpStream>>> {
        // Who has not said what they want takes no room from those who have: until then, nothing is computed.
        let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        let mut place = self.room.enter().ok_or_else(|| io::Error::other("too many handshakes"))?;
        let stream = tokio::select! {
            stream = hello.into_stream(self.tls.config()) => stream?,
            () = place.gone() => return Err(io::Error::other("it waited for long, and others came")),
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(io::Error::other("the client does not speak HTTP/2 (ALPN h2)"))
        }
    }
}
