//! A cache of one fetched item. One fetch at a time serves all callers; it is a task of its own, so that no caller's
//! deadline ends it for the others. A stale item is served while no newer one is available.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::Instrument as _;

use super::http_fault::FetchFault;
use crate::model::{Clock, Timestamp};

/// The time for which a stale item is served if its source returns nothing newer.
const STALE_FOR: Duration = Duration::from_hours(24);
/// The longest wait for a newer item while there is a stale one.
const PATIENCE: Duration = Duration::from_secs(1);
/// The back-off after a failure while there is a stale item.
const RETRY_STALE: Duration = Duration::from_secs(30);
/// The back-off after a failure while there is no item.
const RETRY_EMPTY: Duration = Duration::from_secs(1);
/// The minimum time between successful fetches of something newer, for untrusted requests.
const RENEW: Duration = Duration::from_secs(30);
/// The pause after a failed fetch for an untrusted request, so that junk is no flood while the source fails.
const RETRY_UNTRUSTED: Duration = Duration::from_millis(100);
/// The minimum time between successful fetches of something newer, for trusted requests.
const RENEW_TRUSTED: Duration = Duration::from_secs(1);

/// A source of the cached item.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The cached item.
    type Item: Send + Sync + 'static;
    /// The fault of a fetch.
    type Fault: Clone + From<FetchFault> + Send + Sync + 'static;

    /// Fetches the item, and returns the time for which it is fresh.
    async fn fetch(&self, until: Instant) -> Result<(Self::Item, Duration), Self::Fault>;

    /// Logs that a fetch failed and that the previous item stays in use.
    fn log_stale(&self, fault: &Self::Fault);
}

/// The allowance that a request for something newer uses. Each has its own, so that junk does not use up the other.
/// Only a fetch that succeeds uses an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// Anybody can cause the request. If the allowance is used up, the request fails at once.
    Untrusted,
    /// Only the source itself can cause the request. If the allowance is used up, the request waits for its turn.
    Trusted,
}

type Fetched<S> = Result<Arc<<S as Source>::Item>, <S as Source>::Fault>;
type Flight<S> = watch::Receiver<Option<Fetched<S>>>;

/// The cache of one source.
pub struct RefreshedCache<S: Source> {
    source: Arc<S>,
    clock: Arc<dyn Clock>,
    /// The time limit of a fetch.
    timeout: Duration,
    state: Arc<Mutex<State<S>>>,
}

struct State<S: Source> {
    item: Option<Item<S::Item>>,
    failed: Option<(Timestamp, S::Fault)>,
    /// The time of the last fetch for an untrusted request.
    renewed: Option<Timestamp>,
    /// The time of the last failure for an untrusted request, by the machine's timer.
    failed_untrusted: Option<Instant>,
    /// The time of the last fetch for a trusted request, by the machine's timer: requests wait for the next turn.
    renewed_trusted: Option<Instant>,
    flight: Option<Flight<S>>,
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

/// Returns true if less than `period` has passed since then; false if the clock was set back.
fn within(since: Timestamp, period: Duration, now: Timestamp) -> bool {
    since <= now && now.since(since) < period
}

impl<S: Source> RefreshedCache<S> {
    /// Makes an empty cache with this time limit for fetches.
    pub fn new(source: S, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        let state = State {
            item: None,
            failed: None,
            renewed: None,
            failed_untrusted: None,
            renewed_trusted: None,
            flight: None,
        };
        Self { source: Arc::new(source), clock, timeout, state: Arc::new(Mutex::new(state)) }
    }

    /// Returns the cached item; fetches it first if none is fresh.
    pub async fn get(&self, until: Instant) -> Fetched<S> {
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
            (old, self.fly(&mut state, None))
        };
        match old {
            None => wait::<S>(flight, until).await,
            Some(old) => Ok(wait::<S>(flight, until.min(Instant::now() + PATIENCE)).await.unwrap_or(old)),
        }
    }

    /// Returns an item newer than this one, which is fresh but lacks something. If the allowance is used up, a trusted
    /// request waits for its turn; an untrusted one fails. If a fetch that others began fails, it tries once itself.
    pub async fn newer(&self, than: &Arc<S::Item>, allowance: Allowance, until: Instant) -> Fetched<S> {
        let mut has_joined = false;
        loop {
            let (turn, joins) = {
                let mut state = lock(&self.state);
                match &state.item {
                    Some(item) if !Arc::ptr_eq(&item.value, than) => return Ok(Arc::clone(&item.value)),
                    _ => {}
                }
                let joins = state.flight.is_some();
                let turn = match self.next_turn(&state, allowance) {
                    Turn::Now => Ok(self.fly(&mut state, Some(allowance))),
                    Turn::At(at) if at < until => Err(at),
                    Turn::At(_) | Turn::Later => return Err(FetchFault::Throttled.into()),
                };
                (turn, joins)
            };
            let flight = match turn {
                Ok(flight) => flight,
                Err(at) => {
                    sleep_until(at).await;
                    continue;
                }
            };
            let fetched = wait::<S>(flight, until).await;
            if fetched.is_ok() || !joins || has_joined || Instant::now() >= until {
                return fetched;
            }
            // It began before this request, perhaps while the source still failed.
            has_joined = true;
        }
    }

    /// Returns the time at which a fetch may begin. A fetch in progress serves everyone.
    fn next_turn(&self, state: &State<S>, allowance: Allowance) -> Turn {
        if state.flight.is_some() {
            return Turn::Now;
        }
        match allowance {
            Allowance::Untrusted => match state.renewed {
                Some(renewed) if within(renewed, RENEW, self.clock.now()) => Turn::Later,
                _ => Turn::after(state.failed_untrusted, RETRY_UNTRUSTED),
            },
            Allowance::Trusted => Turn::after(state.renewed_trusted, RENEW_TRUSTED),
        }
    }

    /// Returns the fetch in progress; begins one if there is none. It uses the allowance if it succeeds.
    fn fly(&self, state: &mut State<S>, allowance: Option<Allowance>) -> Flight<S> {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (landed, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let (source, clock, kept) =
            (Arc::clone(&self.source), Arc::clone(&self.clock), Arc::clone(&self.state));
        let (begun, begun_at) = (self.clock.now(), Instant::now());
        let until = begun_at + self.timeout;
        let task = async move {
            // If the fetch panics, this still ends the flight.
            let landing = Landing(&kept);
            let fetched = source.fetch(until).await;
            let mut state = landing.lock();
            let fetched = match fetched {
                Ok((value, fresh_for)) => {
                    let value = Arc::new(value);
                    state.item = Some(Item { value: Arc::clone(&value), fetched: clock.now(), fresh_for });
                    state.failed = None;
                    match allowance {
                        Some(Allowance::Untrusted) => state.renewed = Some(begun),
                        Some(Allowance::Trusted) => state.renewed_trusted = Some(begun_at),
                        None => {}
                    }
                    Ok(value)
                }
                Err(fault) => {
                    if state.item.is_some() {
                        source.log_stale(&fault);
                    }
                    state.failed = Some((clock.now(), fault.clone()));
                    if allowance == Some(Allowance::Untrusted) {
                        state.failed_untrusted = Some(Instant::now());
                    }
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

/// The time at which a fetch may begin.
enum Turn {
    Now,
    At(Instant),
    /// Not within the time of a call.
    Later,
}

impl Turn {
    fn after(last: Option<Instant>, pause: Duration) -> Self {
        let at = last.map(|last| last + pause).filter(|at| *at > Instant::now());
        at.map_or(Self::Now, Self::At)
    }
}

/// Ends the flight, however it ends.
struct Landing<'s, S: Source>(&'s Mutex<State<S>>);

impl<S: Source> Landing<'_, S> {
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        lock(self.0)
    }
}

impl<S: Source> Drop for Landing<'_, S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lock().flight = None;
        }
    }
}

fn lock<S: Source>(state: &Mutex<State<S>>) -> MutexGuard<'_, State<S>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn wait<S: Source>(mut flight: Flight<S>, until: Instant) -> Fetched<S> {
    match timeout_at(until, flight.wait_for(Option::is_some)).await {
        Ok(landed) => {
            let landed = landed.ok().and_then(|landed| landed.clone());
            landed.unwrap_or_else(|| Err(FetchFault::GivenUp.into()))
        }
        Err(_) => Err(FetchFault::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests;
