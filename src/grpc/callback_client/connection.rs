//! The one connection of a callback. It is made before it is needed, and replaced when it ends, is old, or is in doubt
//! because a call got no answer. A connection that the peer has forgotten is silent, too, and a new one may reach
//! another replica. If the service is unreachable, the task retries with back-off, and whenever a call needs a
//! connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connector::{Driver, Sender};
use crate::auth::Callback;
use crate::model::{Entropy, random, spread};
use crate::net::Backoff;

/// The back-off of the task after failed attempts.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
/// A connection that ends sooner counts as a failed attempt.
const SOON: Duration = Duration::from_millis(100);

/// The age at which a connection is replaced, plus or minus a tenth: load balancers distribute connections, not calls.
const AGE: Duration = Duration::from_mins(15);

/// The state that the connecting task and the calls share.
pub(super) struct Line {
    state: watch::Sender<State>,
    /// Signals that a call needs another connection.
    wanted: Notify,
}

#[derive(Clone)]
enum State {
    Connecting,
    Up { sender: Sender, since: Instant },
    Down(Arc<str>),
}

impl Line {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(State::Connecting), wanted: Notify::new() }
    }

    /// Waits for a connection: that of the current attempt, or of one that this call requests.
    pub(super) async fn sender(&self) -> io::Result<Sender> {
        let mut state = self.state.subscribe();
        let mut asked = false;
        loop {
            match state.borrow_and_update().clone() {
                State::Up { sender, .. } if !sender.is_closed() => return Ok(sender),
                State::Down(cause) if asked => return Err(io::Error::other(cause.to_string())),
                State::Up { .. } | State::Down(_) => {
                    asked = true;
                    self.wanted.notify_one();
                }
                State::Connecting => asked = true,
            }
            state.changed().await.map_err(io::Error::other)?;
        }
    }

    /// Replaces the connection, if it was made before this time.
    pub(super) fn doubt(&self, asked: Instant) {
        if matches!(&*self.state.borrow(), State::Up { since, .. } if *since <= asked) {
            self.wanted.notify_one();
        }
    }
}

/// Keeps the line connected with these connections until the task is aborted.
pub(super) async fn keep<C>(
    callback: Callback,
    connect: impl Fn() -> C,
    line: Arc<Line>,
    entropy: Arc<dyn Entropy>,
) where
    C: Future<Output = io::Result<(Sender, Driver)>>,
{
    let callback = callback.name();
    let mut current: Option<JoinHandle<()>> = None;
    let (mut in_vain, mut told) = (0_u32, false);
    loop {
        match connect().await {
            Ok((sender, connection)) => {
                if told {
                    tracing::info!(callback, "connected to callback service");
                }
                told = false;
                let since = Instant::now();
                // Calls that have requested a connection so far have it now.
                let _ = line.wanted.notified().now_or_never();
                line.state.send_replace(State::Up { sender, since });
                // Another task drives the previous connection, and finishes its calls.
                let mut driven = tokio::spawn(async { drop(connection.await) });
                let age = spread(AGE * 9 / 10, AGE * 11 / 10, random(&*entropy));
                let ended = tokio::select! {
                    _ = &mut driven => true,
                    () = line.wanted.notified() => false,
                    () = tokio::time::sleep(age) => false,
                };
                current = (!ended).then_some(driven);
                in_vain = if since.elapsed() < SOON { in_vain.saturating_add(1) } else { 0 };
            }
            Err(error) => {
                if !told {
                    tracing::warn!(callback, %error, "failed to connect to callback service; retrying");
                }
                (in_vain, told) = (in_vain.saturating_add(1), true);
                if current.as_ref().is_none_or(JoinHandle::is_finished) {
                    line.state.send_replace(State::Down(error.to_string().into()));
                }
            }
        }
        if in_vain > 0 {
            let pause = PAUSES.pause(in_vain - 1, random(&*entropy));
            let _ = tokio::time::timeout(pause, line.wanted.notified()).await;
        }
        if current.as_ref().is_none_or(JoinHandle::is_finished) {
            line.state.send_replace(State::Connecting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use hyper::client::conn::http2::Builder;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::{AsyncReadExt as _, DuplexStream};

    use super::super::connector::Stream;
    use super::*;
    use crate::model::OsEntropy;

    /// The peers of the connections so far.
    type Peers = Arc<Mutex<Vec<DuplexStream>>>;

    async fn connect(peers: Peers) -> io::Result<(Sender, Driver)> {
        let (ours, peer) = tokio::io::duplex(64 * 1024);
        peers.lock().unwrap().push(peer);
        let stream: Box<dyn Stream> = Box::new(ours);
        Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.map_err(io::Error::other)
    }

    /// Counts the connections that were made after so much time.
    async fn after(time: Duration, peers: &Peers) -> usize {
        tokio::time::advance(time).await;
        // Runs the tasks that this has woken, and those that they wake.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        peers.lock().unwrap().len()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_replaced_at_its_age_and_carries_its_calls_to_their_end() {
        let (peers, line) = (Peers::default(), Arc::new(Line::new()));
        let connect = {
            let peers = Arc::clone(&peers);
            move || connect(Arc::clone(&peers))
        };
        let kept = keep(Callback::Jwt, connect, Arc::clone(&line), Arc::new(OsEntropy));
        tokio::spawn(kept);
        // The clock of the test stands still unless it is advanced here.
        let of_a_call = line.sender().await.unwrap();
        let (almost, moment) = (AGE * 899 / 1000, AGE / 1000);
        assert_eq!(after(almost, &peers).await, 1);
        assert_eq!(after(AGE * 2 / 10 + 2 * moment, &peers).await, 2);
        let next = line.sender().await.unwrap();
        assert!(!of_a_call.is_closed() && !next.is_closed());

        drop(of_a_call);
        let mut first = peers.lock().unwrap().remove(0);
        // No call uses it any more, so it ends.
        first.read_to_end(&mut Vec::new()).await.unwrap();
        assert!(!line.sender().await.unwrap().is_closed());
    }
}
