//! What was fetched of a provider and is kept for a while. One fetch at a time, for all who wait; it is a task of its own, so
//! that nobody's deadline ends it for the others. What is old serves on while no newer is to be had.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::fault::{FaultKind, ProviderFault};
use crate::model::{Clock, Timestamp};

/// What is too old serves for so long while the provider gives nothing newer.
const STALE_FOR: Duration = Duration::from_hours(24);
/// Who has something old waits so long for something newer.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a failure, the next fetch for those who have something old.
const RETRY_STALE: Duration = Duration::from_secs(30);
/// After a failure, the next fetch for those who have nothing.
const RETRY_EMPTY: Duration = Duration::from_secs(1);
/// Something newer than what is fresh is fetched no more often than this.
const RENEW: Duration = Duration::from_secs(30);

/// Where it comes from.
#[async_trait]
pub(super) trait Source: Send + Sync + 'static {
    /// What is kept.
    type Item: Send + Sync + 'static;

    /// Fetches it, and says how long it is fresh.
    async fn fetch(&self, until: Instant) -> Result<(Self::Item, Duration), ProviderFault>;
}

type Fetched<T> = Result<Arc<T>, ProviderFault>;

/// What is kept of one source.
pub(super) struct Kept<S: Source> {
    source: Arc<S>,
    clock: Arc<dyn Clock>,
    /// How long a fetch may take.
    timeout: Duration,
    state: Arc<Mutex<State<S::Item>>>,
}

struct State<T> {
    item: Option<Item<T>>,
    failed: Option<(Timestamp, ProviderFault)>,
    renewed: Option<Timestamp>,
    flight: Option<watch::Receiver<Option<Fetched<T>>>>,
}

struct Item<T> {
    value: Arc<T>,
    fetched: Timestamp,
    fresh_for: Duration,
}

impl<T> Item<T> {
    fn is_fresh(&self, now: Timestamp) -> bool {
        within(self.fetched, self.fresh_for, now)
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        within(self.fetched, self.fresh_for + STALE_FOR, now)
    }
}

/// Whether less than this went by since; a clock that was set back says nothing of it.
fn within(since: Timestamp, period: Duration, now: Timestamp) -> bool {
    since <= now && now.since(since) < period
}

impl<S: Source> Kept<S> {
    pub(super) fn new(source: S, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        let state = State { item: None, failed: None, renewed: None, flight: None };
        Self { source: Arc::new(source), clock, timeout, state: Arc::new(Mutex::new(state)) }
    }

    /// What is kept, fetched first where there is none that is fresh.
    pub(super) async fn get(&self, until: Instant) -> Fetched<S::Item> {
        let now = self.clock.now();
        let (old, flight) = {
            let mut state = lock(&self.state);
            if let Some(item) = state.item.as_ref().filter(|item| item.is_fresh(now)) {
                return Ok(Arc::clone(&item.value));
            }
            let old = state.item.as_ref().filter(|item| item.is_usable(now));
            let old = old.map(|item| Arc::clone(&item.value));
            let pause = if old.is_some() { RETRY_STALE } else { RETRY_EMPTY };
            if state.flight.is_none()
                && let Some((_, fault)) = state.failed.as_ref().filter(|failed| within(failed.0, pause, now))
            {
                return old.ok_or_else(|| fault.clone());
            }
            (old, self.fly(&mut state))
        };
        match old {
            None => wait(flight, until).await,
            Some(old) => Ok(wait(flight, until.min(Instant::now() + PATIENCE)).await.unwrap_or(old)),
        }
    }

    /// Something newer than this, which is fresh but has not what is looked for. None where there is no newer, or where
    /// somebody looked a moment ago.
    pub(super) async fn newer(&self, than: &Arc<S::Item>, until: Instant) -> Option<Arc<S::Item>> {
        let now = self.clock.now();
        let flight = {
            let mut state = lock(&self.state);
            match &state.item {
                Some(item) if !Arc::ptr_eq(&item.value, than) => return Some(Arc::clone(&item.value)),
                _ => {}
            }
            if state.flight.is_none() {
                if state.renewed.is_some_and(|renewed| within(renewed, RENEW, now)) {
                    return None;
                }
                state.renewed = Some(now);
            }
            self.fly(&mut state)
        };
        wait(flight, until).await.ok()
    }

    /// The fetch that is under way, begun where there is none.
    fn fly(&self, state: &mut State<S::Item>) -> watch::Receiver<Option<Fetched<S::Item>>> {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (landed, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let (source, clock, kept) =
            (Arc::clone(&self.source), Arc::clone(&self.clock), Arc::clone(&self.state));
        let until = Instant::now() + self.timeout;
        let task = async move {
            // Should the fetch panic, the flight ends with it all the same.
            let landing = Landing(&kept);
            let fetched = source.fetch(until).await;
            let mut state = landing.lock();
            let fetched = match fetched {
                Ok((value, fresh_for)) => {
                    let value = Arc::new(value);
                    state.item = Some(Item { value: Arc::clone(&value), fetched: clock.now(), fresh_for });
                    state.failed = None;
                    Ok(value)
                }
                Err(fault) => {
                    state.failed = Some((clock.now(), fault.clone()));
                    Err(fault)
                }
            };
            state.flight = None;
            drop(state);
            landed.send_replace(Some(fetched));
        };
        tokio::spawn(task.in_current_span());
        flight
    }
}

/// Ends the flight, however it ends.
struct Landing<'s, T>(&'s Mutex<State<T>>);

impl<T> Landing<'_, T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(self.0)
    }
}

impl<T> Drop for Landing<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lock().flight = None;
        }
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn wait<T>(mut flight: watch::Receiver<Option<Fetched<T>>>, until: Instant) -> Fetched<T> {
    let landed = timeout_at(until, flight.wait_for(Option::is_some)).await;
    match landed {
        Ok(Ok(fetched)) => match &*fetched {
            Some(fetched) => fetched.clone(),
            None => Err(ProviderFault::new(FaultKind::Unreachable, "a fetch told nothing")),
        },
        Ok(Err(_)) => Err(ProviderFault::new(FaultKind::Unreachable, "a fetch was given up")),
        Err(_) => Err(ProviderFault::new(FaultKind::TimedOut, "no answer in time")),
    }
}

#[cfg(test)]
mod tests;
