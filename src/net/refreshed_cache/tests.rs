use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::model::ManualClock;

const TIMEOUT: Duration = Duration::from_secs(8);
const FRESH_FOR: Duration = Duration::from_hours(1);

/// Counts its fetches, and returns their number if it is up; each needs a permit.
struct Counting {
    fetches: AtomicUsize,
    /// The number of failures while an item stayed in use.
    stale: AtomicUsize,
    is_down: std::sync::atomic::AtomicBool,
    permits: Semaphore,
}

/// The fault of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Late,
    Down,
    Throttled,
}

impl From<FetchFault> for Fault {
    fn from(fault: FetchFault) -> Self {
        match fault {
            FetchFault::TimedOut => Self::Late,
            FetchFault::GivenUp => Self::Down,
            FetchFault::Throttled => Self::Throttled,
        }
    }
}

struct Fixture {
    kept: RefreshedCache<Arc<Counting>>,
    source: Arc<Counting>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Source for Arc<Counting> {
    type Item = usize;
    type Fault = Fault;

    async fn fetch(&self, until: Instant) -> Result<(usize, Duration), Fault> {
        let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
        let permit = timeout_at(until, self.permits.acquire()).await;
        permit.map_err(|_| Fault::Late)?.unwrap().forget();
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Fault::Down);
        }
        Ok((number, FRESH_FOR))
    }

    fn log_stale(&self, _: &Fault) {
        self.stale.fetch_add(1, Ordering::SeqCst);
    }
}

impl Fixture {
    fn new(permits: usize) -> Self {
        let source = Arc::new(Counting {
            fetches: AtomicUsize::new(0),
            stale: AtomicUsize::new(0),
            is_down: false.into(),
            permits: Semaphore::new(permits),
        });
        let clock = Arc::new(ManualClock::at(Timestamp(1_000_000_000)));
        let kept = RefreshedCache::new(Arc::clone(&source), Arc::clone(&clock) as Arc<dyn Clock>, TIMEOUT);
        Self { kept, source, clock }
    }

    async fn get(&self) -> Result<usize, Fault> {
        self.kept.get(Instant::now() + TIMEOUT).await.map(|value| *value)
    }

    fn fetches(&self) -> usize {
        self.source.fetches.load(Ordering::SeqCst)
    }

    fn stale(&self) -> usize {
        self.source.stale.load(Ordering::SeqCst)
    }

    /// Looks for an item newer than the cached one.
    async fn newer(&self, allowance: Allowance) -> Result<usize, Fault> {
        let kept = self.kept.get(Instant::now() + TIMEOUT).await?;
        self.kept.newer(&kept, allowance, Instant::now() + TIMEOUT).await.map(|value| *value)
    }

    fn is_down(&self, is_down: bool) {
        self.source.is_down.store(is_down, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_value_is_not_fetched_again() {
    let all = Fixture::new(9);
    for (advance, wanted) in [(0, 1), (3599, 1), (1, 2), (3599, 2)] {
        all.clock.advance(Duration::from_secs(advance));
        assert_eq!(all.get().await, Ok(wanted));
    }
    // After the clock was set back, the age is unknown.
    all.clock.set(Timestamp(0));
    assert_eq!(all.get().await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn waiting_callers_share_one_fetch_that_none_can_cancel() {
    let all = Arc::new(Fixture::new(0));
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let all = Arc::clone(&all);
            tokio::spawn(async move { all.get().await })
        })
        .collect();
    while all.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    // The first caller is cancelled; the others get their result.
    waiting[0].abort();
    all.source.permits.add_permits(1);
    for waiting in waiting.into_iter().skip(1) {
        assert_eq!(waiting.await.unwrap(), Ok(1));
    }
    assert_eq!(all.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_repeated_for_a_second() {
    let all = Fixture::new(9);
    all.is_down(true);
    for (advance, fetches) in [(0, 1), (999, 1), (1, 2), (0, 2)] {
        all.clock.advance(Duration::from_millis(advance));
        assert_eq!(all.get().await, Err(Fault::Down));
        assert_eq!(all.fetches(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_used_while_the_provider_is_down_for_at_most_a_day() {
    let all = Fixture::new(99);
    assert_eq!(all.get().await, Ok(1));
    all.is_down(true);
    let day = 24 * 3600;
    for (advance, answer, fetches) in
        [(3600, Ok(1), 2), (29, Ok(1), 2), (1, Ok(1), 3), (day - 31, Ok(1), 4), (1, Err(Fault::Down), 5)]
    {
        all.clock.advance(Duration::from_secs(advance));
        assert_eq!((all.get().await, all.fetches()), (answer, fetches), "{advance} s later");
    }
    all.is_down(false);
    all.clock.advance(RETRY_EMPTY);
    assert_eq!(all.get().await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_provider_does_not_delay_callers_with_a_stale_value() {
    let all = Fixture::new(1);
    assert_eq!(all.get().await, Ok(1));
    all.clock.advance(FRESH_FOR);
    let begin = Instant::now();
    assert_eq!(all.get().await, Ok(1));
    assert_eq!(begin.elapsed(), PATIENCE);
    // A caller without a stale item waits no longer than requested, either.
    let empty = Fixture::new(0);
    let begin = Instant::now();
    let fault = empty.kept.get(begin + Duration::from_secs(2)).await.unwrap_err();
    assert_eq!((fault, begin.elapsed()), (Fault::Late, Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn anybody_can_cause_one_fetch_in_half_a_minute() {
    let all = Fixture::new(99);
    let first = all.kept.get(Instant::now() + TIMEOUT).await.unwrap();
    // Although it was just fetched.
    assert_eq!(all.newer(Allowance::Untrusted).await, Ok(2));
    // A second caller shares the fetch of the first.
    let again = all.kept.newer(&first, Allowance::Untrusted, Instant::now() + TIMEOUT).await;
    assert_eq!(again.map(|value| *value), Ok(2));
    assert_eq!(all.newer(Allowance::Untrusted).await, Err(Fault::Throttled));
    all.clock.advance(RENEW.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(all.newer(Allowance::Untrusted).await, Err(Fault::Throttled));
    assert_eq!(all.fetches(), 2);
    all.clock.advance(Duration::from_millis(1));
    assert_eq!(all.newer(Allowance::Untrusted).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn the_source_itself_causes_one_fetch_a_second_and_waits_for_it() {
    let all = Fixture::new(99);
    // The allowance of others is used up.
    assert_eq!(all.newer(Allowance::Untrusted).await, Ok(2));
    let begin = Instant::now();
    for (waited, number) in [(0, 3), (1, 4), (2, 5)] {
        assert_eq!(all.newer(Allowance::Trusted).await, Ok(number));
        assert_eq!(begin.elapsed(), Duration::from_secs(waited));
    }
    // There is no time left to wait for the next turn.
    let kept = all.kept.get(Instant::now() + TIMEOUT).await.unwrap();
    let soon = Instant::now() + Duration::from_millis(999);
    let refused = all.kept.newer(&kept, Allowance::Trusted, soon).await;
    assert_eq!((refused, all.fetches()), (Err(Fault::Throttled), 5));
}

#[tokio::test(start_paused = true)]
async fn a_failure_uses_no_allowance_and_keeps_the_item() {
    let all = Fixture::new(99);
    assert_eq!(all.get().await, Ok(1));
    for (number, allowance) in [(1, Allowance::Untrusted), (2, Allowance::Trusted)] {
        all.is_down(true);
        assert_eq!(all.newer(allowance).await, Err(Fault::Down));
        assert_eq!((all.get().await, all.stale()), (Ok(2 * number - 1), number));
        all.is_down(false);
        assert_eq!(all.newer(allowance).await, Ok(2 * number + 1));
    }
}

#[tokio::test(start_paused = true)]
async fn junk_is_no_flood_while_the_source_fails() {
    let all = Fixture::new(99);
    assert_eq!(all.get().await, Ok(1));
    all.is_down(true);
    let begin = Instant::now();
    for _ in 0..5 {
        assert_eq!(all.newer(Allowance::Untrusted).await, Err(Fault::Down));
    }
    assert_eq!(begin.elapsed(), 4 * RETRY_UNTRUSTED);
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_fetch_that_fails_tries_once_more() {
    let all = Arc::new(Fixture::new(1));
    assert_eq!(all.get().await, Ok(1));
    let begin = || {
        let all = Arc::clone(&all);
        tokio::spawn(async move { all.newer(Allowance::Trusted).await })
    };
    all.is_down(true);
    let first = begin();
    while all.fetches() < 2 {
        tokio::task::yield_now().await;
    }
    let second = begin();
    tokio::task::yield_now().await;
    all.source.permits.add_permits(1);
    assert_eq!(first.await.unwrap(), Err(Fault::Down));
    all.is_down(false);
    all.source.permits.add_permits(1);
    assert_eq!(second.await.unwrap(), Ok(3));
}
