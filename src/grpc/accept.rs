//! The accept loop: the server is a function of a listener and a shutdown token. It owns how many connections
//! there are, how long each may live, what happens when the machine runs out of descriptors, and the drain.
//! A connection itself is `connection.rs`, TLS `tls/`; the HTTP ports run on the same loop.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use super::connection::{Bridge, Closing, drive, http2};
use super::first_bytes::FirstBytes;
use super::must_read::MustRead;
use crate::model::{Entropy, random, spread};

/// What one listener and its connections may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub max_connections: usize,
    /// TLS handshakes at a time, of clients that have said what they want (`ClientHello`).
    pub max_handshakes: usize,
    /// Calls at a time on one connection.
    pub max_concurrent_streams: u32,
    /// Bytes of request headers.
    pub max_header_bytes: u32,
    /// How long a new connection, its TLS handshake, or an HTTP/1.1 request's headers, may take to arrive.
    pub first_bytes: Duration,
    /// The pause between two HTTP/2 pings of ours.
    pub keepalive_interval: Duration,
    /// How long the answer to a ping may take.
    pub keepalive_timeout: Duration,
    /// When a connection is told to go, give or take a tenth: clients look for new replicas only then.
    pub connection_age: Duration,
    /// How long calls in flight have to end then.
    pub age_grace: Duration,
    /// How long calls in flight have to end after the shutdown.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_handshakes: 512,
            max_concurrent_streams: 200,
            max_header_bytes: 16_384,
            first_bytes: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
            connection_age: Duration::from_mins(15),
            age_grace: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(20),
        }
    }
}

/// Serves gRPC until `shutdown`, then drains. Answers how many connections had to be cut.
pub async fn serve<S>(
    listener: TcpListener,
    limits: Limits,
    entropy: Arc<dyn Entropy>,
    service: S,
    shutdown: CancellationToken,
) -> usize
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let http = http2(&limits);
    let service = of_hyper(service);
    let (within, stop) = (limits.first_bytes, shutdown.clone());
    let connect = move |tcp, peer, closing| {
        let io = TokioIo::new(FirstBytes::new(tcp, within, stop.clone()));
        ready(Some(http.serve_connection(io, Bridge::new(service.clone(), peer, closing)).into_owned()))
    };
    accept(listener, limits, entropy, connect, shutdown).await
}

/// The service with hyper's bodies.
pub(super) fn of_hyper<S>(
    service: S,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future = S::Future>
+ Clone
+ Send
+ 'static
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
{
    service.map_request(|request: Request<Incoming>| request.map(Body::new))
}

/// The loop itself; `connect` says what is spoken on a connection, or that nothing will be.
pub(crate) async fn accept<F, W, C>(
    listener: TcpListener,
    limits: Limits,
    entropy: Arc<dyn Entropy>,
    connect: F,
    shutdown: CancellationToken,
) -> usize
where
    F: Fn(MustRead<TcpStream>, SocketAddr, Closing) -> W,
    W: Future<Output = Option<C>> + Send + 'static,
    C: GracefulConnection + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut full = false;
    let mut failures = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => {
                note_panic(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                pause(&error, failures, &shutdown).await;
                failures += 1;
                continue;
            }
        };
        failures = 0;
        // Refused, not left in the backlog: there it would look connected and be answered by nobody, while a
        // refused client tries another replica at once.
        if connections.len() >= limits.max_connections {
            if !full {
                tracing::warn!(
                    max_connections = limits.max_connections,
                    "too many connections, refusing more"
                );
            }
            full = true;
            continue;
        }
        full = false;
        // Only latency is lost where the option cannot be set.
        let _ = tcp.set_nodelay(true);
        let age = jittered(limits.connection_age, random(&*entropy));
        let closing = Closing::until(&shutdown);
        let connecting = connect(MustRead::new(tcp), peer, closing.clone());
        connections.spawn(drive(connecting, age, limits.age_grace, shutdown.clone(), closing));
    }
    drop(listener);
    drain(connections, limits.shutdown_grace).await
}

/// Waits for the connections, no longer than `grace`, and drops what is left.
async fn drain(mut connections: JoinSet<()>, grace: Duration) -> usize {
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            note_panic(ended);
        }
    };
    if tokio::time::timeout(grace, all_ended).await.is_ok() {
        return 0;
    }
    let cut = connections.len();
    tracing::warn!(connections = cut, "calls were still running after the shutdown grace, cutting them");
    connections.shutdown().await;
    cut
}

fn note_panic(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("a connection panicked");
    }
}

/// Whether the failure is of the connection that was to be accepted and says nothing about the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Waits before the next accept: without descriptors (EMFILE, ENFILE) it fails at once, again and again.
async fn pause(error: &io::Error, failures: u32, shutdown: &CancellationToken) {
    if failures == 0 {
        tracing::error!(%error, "cannot accept connections, trying again");
    }
    let delay = Duration::from_millis(10 << failures.min(6));
    let _ = tokio::time::timeout(delay, shutdown.cancelled()).await;
}

/// `age` and up to a tenth more or less, so that connections made together do not end together.
fn jittered(age: Duration, noise: [u8; 2]) -> Duration {
    spread(age * 9 / 10, age * 11 / 10, noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_stay_within_a_tenth() {
        let age = Duration::from_secs(100);
        assert_eq!(jittered(age, [0, 0]), Duration::from_secs(90));
        assert_eq!(jittered(age, [255, 255]), Duration::from_secs(110));
    }
}
