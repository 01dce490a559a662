//! The limit of concurrent handshakes. While handshakes end quickly, further ones are rejected, since they would only
//! slow down the others. A handshake that takes long waits for a silent peer, and gives way to a new one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// The time in which no handshake has to give way: several long-distance round trips.
const PATIENCE: Duration = Duration::from_secs(1);

/// A limited number of places for handshakes.
pub(super) struct HandshakeLimit {
    most: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// The taken places, in order.
    places: VecDeque<Taken>,
    came: u64,
    full: bool,
}

/// A taken place, and the signal for its loss.
struct Taken {
    number: u64,
    since: Instant,
    _keeps: oneshot::Sender<Infallible>,
}

/// A place for a handshake, until it is dropped.
pub(super) struct Place<'a> {
    room: &'a HandshakeLimit,
    number: u64,
    gone: oneshot::Receiver<Infallible>,
}

impl HandshakeLimit {
    pub(super) fn new(most: usize) -> Self {
        Self { most, inside: Mutex::default() }
    }

    /// Takes a place; returns `None` if all were taken too recently to give way.
    pub(super) fn enter(&self) -> Option<Place<'_>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.places.is_empty() {
            inside.full = false;
        }
        if inside.places.len() >= self.most {
            if !std::mem::replace(&mut inside.full, true) {
                tracing::warn!(
                    max_handshakes = self.most,
                    "tls handshake limit reached; rejecting new connections"
                );
            }
            inside.places.pop_front_if(|oldest| oldest.since.elapsed() > PATIENCE)?;
        }
        let (keeps, gone) = oneshot::channel();
        inside.came += 1;
        let number = inside.came;
        inside.places.push_back(Taken { number, since: Instant::now(), _keeps: keeps });
        Some(Place { room: self, number, gone })
    }
}

impl Place<'_> {
    /// Completes when this place was given to another handshake.
    pub(super) async fn gone(&mut self) {
        let Err(_) = (&mut self.gone).await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inside = self.room.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.places.retain(|taken| taken.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_handshake_is_rejected_until_a_place_is_free_or_an_old_one_expires() {
        let room = HandshakeLimit::new(2);
        let mut first = room.enter().unwrap();
        tokio::time::advance(PATIENCE).await;
        let mut second = room.enter().unwrap();
        assert!(room.enter().is_none(), "no place is older than that yet");
        tokio::time::advance(Duration::from_millis(1)).await;
        let third = room.enter().unwrap();
        assert!(first.gone().now_or_never().is_some() && second.gone().now_or_never().is_none());
        drop(first);
        assert!(room.enter().is_none(), "the place of the first is the third's");
        drop(third);
        let fourth = room.enter().unwrap();
        tokio::time::advance(PATIENCE).await;
        assert!(second.gone().now_or_never().is_none(), "its place is not needed");
        drop((second, fourth));
        assert!(room.inside.lock().unwrap().places.is_empty());
    }
}
