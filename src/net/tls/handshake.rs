//! Handshakes: their time limit, their number, and their required outcome. They run in the tasks of their connections,
//! so that the accept loop waits for none.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::super::limits::Limits;
use super::super::peer::PeerNames;
use super::super::write_timeout::WriteTimeout;
use super::certificate::sans;
use super::handshake_limit::HandshakeLimit;
use super::server::Tls;

/// The handshakes of a listener.
pub(in crate::net) struct Handshakes {
    tls: Arc<Tls>,
    within: Duration,
    room: HandshakeLimit,
}

impl Handshakes {
    pub(in crate::net) fn new(tls: Arc<Tls>, limits: &Limits) -> Self {
        Self { tls, within: limits.first_bytes, room: HandshakeLimit::new(limits.max_handshakes) }
    }

    /// Completes a handshake for HTTP/2, and returns the names in the client's certificate. Returns `None` if the
    /// connection must be closed.
    pub(in crate::net) async fn shake(
        &self,
        tcp: WriteTimeout<TcpStream>,
        peer: SocketAddr,
        shutdown: &CancellationToken,
    ) -> Option<(TlsStream<WriteTimeout<TcpStream>>, Option<PeerNames>)> {
        let shaking = tokio::time::timeout(self.within, self.stream(tcp));
        let stream = shutdown.run_until_cancelled(shaking).await?;
        match stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let names = certificate.map(|certificate| PeerNames(sans(certificate).into()));
                Some((stream, names))
            }
            // At debug level: scanners and probes would fill the log.
            Err(error) => {
                tracing::debug!(%peer, %error, "tls handshake failed");
                None
            }
        }
    }

    async fn stream(&self, tcp: WriteTimeout<TcpStream>) -> io::Result<TlsStream<WriteTimeout<TcpStream>>> {
        // A client without a `ClientHello` takes no place from others: until then, nothing is computed.
        let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        let mut place = self.room.enter().ok_or_else(|| io::Error::other("too many handshakes"))?;
        let stream = tokio::select! {
            stream = hello.into_stream(self.tls.config()) => stream?,
            () = place.gone() => return Err(io::Error::other("replaced by a newer handshake")),
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(io::Error::other("the client does not support HTTP/2 (ALPN h2)"))
        }
    }
}
