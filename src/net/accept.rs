//! The accept loop: how many connections there are, how long each may live, what happens when the machine runs out of
//! descriptors, and the drain. A connection itself is `connection`, TLS `tls`.

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

/// The pauses after failures: without descriptors (EMFILE, ENFILE) accepting fails at once, again and again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(640));

/// Accepts connections until `shutdown`, then drains; answers how many had to be cut. `connect` says what is spoken on a connection, or that nothing will be.
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
                    tracing::error!(%error, "cannot accept connections, trying again");
                }
                let pause = PAUSES.pause(failures, random(&*entropy));
                let _ = tokio::time::timeout(pause, shutdown.cancelled()).await;
                failures = failures.saturating_add(1);
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
        let connecting = connect(WriteTimeout::new(tcp), peer, closing.clone());
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

/// Tells whether the failure is of the connection that was to be accepted and says nothing about the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
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
