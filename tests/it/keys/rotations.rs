//! Ten rotations during a hundred calls a second. No replica rejects a valid token, and a client that caches the key
//! set for twenty minutes finds every key in it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::grpc::proto::v1::IssueTokenResponse;
use gatepass::model::{Clock as _, PUBLISHED_BEFORE, Timestamp};
use tokio::task::JoinSet;

use crate::support::crowd::patient_on;
use crate::support::databases::Backend;
use crate::support::keys::kid;
use crate::support::{TestApp, eventually};

const ROTATIONS: usize = 10;
const CALLERS: usize = 10;
const BETWEEN_CALLS: Duration = Duration::from_millis(100);
/// The number of clock steps between the publication of a key and its first signature. A call sees at most two of them.
const STEPS: u32 = 10;
const CACHED_FOR: Duration = Duration::from_mins(20);

/// The state that the callers share.
struct Crowd {
    replicas: [TestApp; 2],
    cached: Mutex<Vec<String>>,
    seen: Mutex<BTreeSet<String>>,
    calls: [AtomicUsize; CALLERS],
    over: AtomicBool,
}

impl Crowd {
    /// Runs one person's backend: it reads its session repeatedly on both replicas, and refreshes in time.
    async fn call(self: Arc<Self>, number: usize, issued: IssueTokenResponse) {
        let (mut access, mut refresh) = (issued.access_token, issued.refresh_token);
        let mut expires_at = issued.access_token_expires_at.unwrap().seconds;
        let mut pace = tokio::time::interval(BETWEEN_CALLS);
        while !self.over.load(Ordering::SeqCst) {
            pace.tick().await;
            let turn = self.calls[number].load(Ordering::SeqCst) + number;
            let [here, there] = [turn % 2, (turn + 1) % 2].map(|number| &self.replicas[number]);
            if Timestamp::from_seconds(expires_at).since(here.clock.now()) < 3 * step() {
                let fresh = here.refresh(&refresh).await.unwrap();
                (access, refresh) = (fresh.access_token, fresh.refresh_token);
                expires_at = fresh.access_token_expires_at.unwrap().seconds;
                self.note(kid(&access));
            }
            there.session(&access).await.unwrap();
            self.calls[number].fetch_add(1, Ordering::SeqCst);
        }
    }

    fn note(&self, kid: String) {
        assert!(self.cached.lock().unwrap().contains(&kid), "a reader of the key set does not know {kid}");
        self.seen.lock().unwrap().insert(kid);
    }

    fn counts(&self) -> [usize; CALLERS] {
        self.calls.each_ref().map(|calls| calls.load(Ordering::SeqCst))
    }

    async fn everybody_calls(&self) {
        let before = self.counts();
        let again = || async { self.counts().iter().zip(&before).all(|(now, before)| now > before) };
        eventually("everybody calls", again).await;
    }
}

fn step() -> Duration {
    PUBLISHED_BEFORE / STEPS
}

async fn ten_rotations_refuse_no_valid_token(backend: Backend) {
    let one = patient_on(backend).await.start().await;
    let other = one.replica(|yaml| yaml).await;
    let (clock, cached) = (Arc::clone(&one.clock), Mutex::new(one.published().await));
    let crowd = Arc::new(Crowd {
        replicas: [one, other],
        cached,
        seen: Mutex::default(),
        calls: Default::default(),
        over: AtomicBool::new(false),
    });
    // All callers start before the clock moves, since a grant lives for a minute.
    let mut calling = JoinSet::new();
    for number in 0..CALLERS {
        let issued = crowd.replicas[number % 2].tokens(&format!("person-{number}")).await;
        calling.spawn(Arc::clone(&crowd).call(number, issued));
    }
    let mut read_at = clock.now();
    for rotation in 0..ROTATIONS {
        crowd.replicas[rotation % 2].rotate(false).await;
        let next = crowd.replicas[rotation % 2].keys().await[0].split(' ').next().unwrap().to_owned();
        for replica in &crowd.replicas {
            eventually("it is published", || async { replica.published().await.contains(&next) }).await;
        }
        for _ in 0..STEPS {
            clock.advance(step());
            if clock.now().since(read_at) >= CACHED_FOR {
                *crowd.cached.lock().unwrap() = crowd.replicas[0].published().await;
                read_at = clock.now();
            }
            crowd.everybody_calls().await;
        }
    }
    crowd.over.store(true, Ordering::SeqCst);
    while let Some(ended) = calling.join_next().await {
        ended.unwrap();
    }
    let calls: usize = crowd.counts().iter().sum();
    assert!(calls >= ROTATIONS * CALLERS * STEPS as usize, "{calls}");
    // A key signs for as long as its successor is published: less than two token lifetimes, so callers met each key.
    assert!(crowd.seen.lock().unwrap().len() >= ROTATIONS, "{:?}", crowd.seen);
    assert!(crowd.replicas[0].published().await.len() < ROTATIONS, "the first have retired meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sqlite_ten_rotations_refuse_no_valid_token() {
    ten_rotations_refuse_no_valid_token(Backend::Sqlite).await;
}

crate::on_servers!(ten_rotations_refuse_no_valid_token);
