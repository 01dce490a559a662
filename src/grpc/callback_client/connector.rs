//! A new connection to a callback service: TCP, TLS if the address requires it, HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use crate::model::{Entropy, random};
use crate::net::Target;
use crate::net::tls::ClientTls;

/// The time limit for connecting.
const WITHIN: Duration = Duration::from_secs(5);
/// The time limit for one of several addresses: a name may still lead to a host that is gone.
const EACH: Duration = Duration::from_secs(1);

/// The idle time before TCP keepalive probes. HTTP/2 pings without calls are not an option: gRPC servers penalise them
/// (gRFC A8).
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// The bytes of an answer that may arrive before it is read: little more than the largest accepted answer.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// The maximum size of an answer's headers, in bytes.
const HEADER_BYTES: u32 = 16 * 1024;

/// Connects to one callback service.
pub(super) struct Connector {
    pub(super) address: Target,
    /// `None` if the service is called in plaintext.
    pub(super) tls: Option<ClientTls>,
    pub(super) entropy: Arc<dyn Entropy>,
}

/// A byte stream, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Sends calls over a connection.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Drives a connection to its end.
pub(super) type Driver = Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>, TokioExecutor>;

impl Connector {
    /// Connects. The sender works while the driver is polled.
    pub(super) async fn connect(&self) -> io::Result<(Sender, Driver)> {
        let connected = tokio::time::timeout(WITHIN, self.within_any_time()).await;
        connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn within_any_time(&self) -> io::Result<(Sender, Driver)> {
        let host = self.address.host();
        let addresses = lookup_host((host, self.address.port())).await?;
        let tcp = reach(shuffled(addresses, &*self.entropy)).await?;
        // If an option can't be set, only latency or the detection of a silent end is lost.
        let _ = tcp.set_nodelay(true);
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL);
        let _ = SockRef::from(&tcp).set_tcp_keepalive(&keepalive);
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(tls) => Box::new(tls.connect(tcp, host).await?),
        };
        Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEADER_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)
    }
}

/// Shuffles addresses: attempts start at different ones, and the replicas of Gatepass spread over those of the service.
fn shuffled(addresses: impl Iterator<Item = SocketAddr>, entropy: &dyn Entropy) -> Vec<SocketAddr> {
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_by_cached_key(|_| random::<8>(entropy));
    addresses
}

/// Connects to the first address that answers.
async fn reach(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    let mut addresses = addresses.into_iter();
    while let Some(address) = addresses.next() {
        let patience = if addresses.len() > 0 { EACH } else { WITHIN };
        match tokio::time::timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;
    use crate::model::OsEntropy;

    fn loopback() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// Makes a listener that ignores new connections like a host that is gone: its backlog is full.
    async fn dead() -> (TcpListener, TcpStream) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(loopback()).unwrap();
        let listener = socket.listen(0).unwrap();
        let waiting = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener, waiting)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_that_answers_is_taken() {
        let (dead, _waiting) = dead().await;
        let live = TcpListener::bind(loopback()).await.unwrap();
        let [dead, live] = [&dead, &live].map(|listener| listener.local_addr().unwrap());
        // Port 1 refuses connections.
        let refuses = SocketAddr::new(live.ip(), 1);
        for addresses in [vec![live], vec![live, dead], vec![dead, live], vec![refuses, dead, dead, live]] {
            let reached = tokio::time::timeout(WITHIN, reach(addresses.clone())).await;
            assert_eq!(reached.unwrap().unwrap().peer_addr().unwrap(), live, "{addresses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_connection_error_is_reported() {
        let (dead, _waiting) = dead().await;
        let dead = dead.local_addr().unwrap();
        let refuses = SocketAddr::new(dead.ip(), 1);
        for (addresses, kind) in [
            (vec![], io::ErrorKind::NotFound),
            (vec![dead, dead], io::ErrorKind::TimedOut),
            (vec![dead, refuses], io::ErrorKind::ConnectionRefused),
        ] {
            assert_eq!(reach(addresses).await.unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn every_address_comes_first_some_time() {
        let addresses: Vec<_> = (1..=3).map(|port| SocketAddr::new(loopback().ip(), port)).collect();
        let first = |_| shuffled(addresses.iter().copied(), &OsEntropy)[0];
        assert_eq!((0..200).map(first).collect::<HashSet<_>>().len(), addresses.len());
    }
}
