//! The accept loop: the number of connections, their lifetime, the back-off when descriptors run out, and the drain.
//! `connection` handles one connection, `tls` TLS.
//!
//! It is written by hand because tonic's loop (0.14) has no handshake or preface timeout, no limit of connections, no
//! jitter on their age and no deadline for the drain, and it spins when descriptors run out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::connection::drive;
use super::limits::Limits;
use super::peer::Closing;
use super::write_timeout::WriteTimeout;
use crate::model::{Entropy, random, spread};

/// The back-off after failures: without descriptors (EMFILE, ENFILE) every accept fails immediately.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(640));

/// Accepts connections until `shutdown`, then drains; returns the number of connections that were cut. `connect` starts
/// the protocol of a connection, or rejects it.
pub(super) async fn accept<F, W, C>(
    listener: TcpListener,
    limits: Limits,
    entropy: Arc<dyn Entropy>,
    connect: F,
    shutdown: CancellationToken,
) -> usize
where
    F: Fn(WriteTimeout<TcpStream>, SocketAddr, Closing) -> W,
    W: Future<Output = Option<C>> + Send + 'static,
    C: GracefulConnection + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut full = false;
    let mut failures = 0_u32;
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
                if failures == 0 {
                    tracing::error!(%error, "failed to accept connections; retrying");
                }
                let pause = PAUSES.pause(failures, random(&*entropy));
                let _ = tokio::time::timeout(pause, shutdown.cancelled()).await;
                failures = failures.saturating_add(1);
                continue;
            }
        };
        failures = 0;
        // Rejected instead of left in the backlog, where it would look connected but get no response; a rejected client
        // tries another replica immediately.
        if connections.len() >= limits.max_connections {
            if !full {
                tracing::warn!(
                    max_connections = limits.max_connections,
                    "connection limit reached; rejecting new connections"
                );
            }
            full = true;
            continue;
        }
        full = false;
        // If the option can't be set, only latency is lost.
        let _ = tcp.set_nodelay(true);
        let age = jittered(limits.connection_age, random(&*entropy));
        let closing = Closing::until(&shutdown);
        let connecting = connect(WriteTimeout::new(tcp), peer, closing.clone());
        connections.spawn(drive(connecting, age, limits.age_grace, shutdown.clone(), closing));
    }
    drop(listener);
    drain(connections, limits.shutdown_grace).await
}

/// Waits for the connections, at most for `grace`, and drops the rest.
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
    tracing::warn!(connections = cut, "shutdown grace expired; closing connections with running calls");
    connections.shutdown().await;
    cut
}

fn note_panic(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("connection task panicked");
    }
}

/// Returns true if the failure concerns only the connection that was being accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Returns `age` plus or minus up to a tenth, so that connections that began together do not end together.
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
