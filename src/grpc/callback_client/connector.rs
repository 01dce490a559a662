//! A new connection to a callback service: TCP, TLS where the address says so, HTTP/2.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::address::Address;
use super::connection::Sender;
use crate::grpc::tls::ClientTls;

/// How long all of that may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Silence for this long is looked into, by TCP alone: gRPC servers punish HTTP/2 pings without calls (gRFC A8).
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// What an answer may take before it is read: little more than the largest that is accepted.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// The most bytes of an answer's headers.
const HEADER_BYTES: u32 = 16 * 1024;

/// How to reach one callback service.
pub(super) struct Connector {
    pub(super) address: Address,
    /// None where it is called in plaintext.
    pub(super) tls: Option<ClientTls>,
}

/// What carries the bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Drives a connection to its end.
pub(super) type Driver = Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>, TokioExecutor>;

impl Connector {
    /// Connects. What calls are sent by, and what must be driven for it.
    pub(super) async fn connect(&self) -> io::Result<(Sender, Driver)> {
        let connected = tokio::time::timeout(WITHIN, self.within_any_time()).await;
        connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn within_any_time(&self) -> io::Result<(Sender, Driver)> {
        let Address { host, port, .. } = &self.address;
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        // Only latency, or the news of a silent end, is lost where an option can't be set.
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
