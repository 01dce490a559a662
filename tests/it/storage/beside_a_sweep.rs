//! Calls during a sweep: a replica removes a large backlog at its own pace. Meanwhile no sign-in or refresh is
//! rejected, or waits longer than its deadline.

use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{IssueTokenRequest, RefreshTokenRequest};
use sea_orm::DatabaseConnection;
use tonic::Request;
use tonic::transport::Channel;

use crate::storage::growth::fill::{DAYS, fill};
use crate::storage::store::sample::NOW;
use crate::support::crowd::{at_once, patient_on};
use crate::support::databases::{Backend, query};
use crate::support::load::measured;
use crate::support::soak::soak;
use crate::support::{TestApp, allowed, profile, tokens};

const DAY: Duration = Duration::from_hours(24);

/// The number of concurrent callers.
const PEOPLE: usize = 8;

/// The number of refreshes after each sign-in.
const REFRESHES: usize = 3;

/// The number of rounds in which rows must disappear during the calls.
const OVERLAPS: usize = 10;

/// A timeout that only a stuck test reaches.
const STUCK: Duration = Duration::from_mins(1);

/// Returns the deadline of the callers in a long run, or one that any slow machine meets in a short run.
fn deadline() -> Duration {
    Duration::from_secs(u64::try_from(soak(30, 2)).unwrap())
}

crate::on_all!(calls_are_answered_beside_a_sweep);

async fn calls_are_answered_beside_a_sweep(backend: Backend) {
    let rows = soak(20_000, 200_000);
    let goal = rows / soak(10, 3);
    let empty = patient_on(backend).await.config(&tokens("")).start().await;
    let (db, next) = (empty.place.database.connect().await, empty.beside());
    empty.stop().await.clock.set(NOW.plus(401 * DAY));
    fill(&db, u64::try_from(rows).unwrap()).await;
    let app = next.start().await;
    // The first calls prepare their statements.
    turn(&app).await;

    let (begun, all) = (Instant::now(), backlog(&db).await);
    let (mut left, mut fell, mut turns, mut overlaps) = (all, begun, 0, 0);
    let mut beside = [Duration::ZERO; 2];
    while all - left < goal || overlaps < OVERLAPS {
        beside = slower(beside, turn(&app).await);
        turns += 1;
        let now = backlog(&db).await;
        if now < left {
            (left, fell) = (now, Instant::now());
            overlaps += 1;
        }
        assert!(left > 0, "swept before {goal} went beside {overlaps} turns of calls");
        assert!(fell.elapsed() < STUCK, "{left} of {all} are not swept");
    }
    let swept = begun.elapsed();

    // By this clock nothing has expired, so nothing is swept.
    app.clock.set(NOW.minus(2 * DAY * u32::try_from(DAYS).unwrap()));
    let app = app.restart(|yaml| yaml).await;
    turn(&app).await;
    let left = backlog(&db).await;
    let mut alone = [Duration::ZERO; 2];
    for _ in 0..turns {
        alone = slower(alone, turn(&app).await);
    }
    assert_eq!(backlog(&db).await, left);
    app.stop().await;
    measured(&format!(
        "{backend:?}: {} of {all} rows swept in {swept:.1?}, in {overlaps} of {turns} turns of calls; \
         the slowest SignIn and RefreshToken meanwhile {beside:.1?}, without a sweep {alone:.1?}",
        all - left
    ));
}

/// Counts the initial sessions and log rows that are left.
async fn backlog(db: &DatabaseConnection) -> usize {
    let mut left = 0;
    for rows in ["sessions WHERE authenticated_at", "auth_logs WHERE created_at"] {
        let from = NOW.minus(DAY * u32::try_from(DAYS).unwrap()).millis();
        let sql = format!("SELECT count(*) FROM {rows} BETWEEN {from} AND {}", NOW.millis());
        let count: i64 = query(db, &sql).await[0].try_get_by_index(0).unwrap();
        left += usize::try_from(count).unwrap();
    }
    left
}

/// Lets all people sign in and refresh concurrently, and returns the slowest call of each kind.
async fn turn(app: &TestApp) -> [Duration; 2] {
    let all = at_once(PEOPLE, |number| live(app.auth.clone(), format!("p{number}"))).await;
    all.into_iter().fold([Duration::ZERO; 2], slower)
}

/// Signs a person in and refreshes. Every call must meet its deadline.
async fn live(mut auth: AuthServiceClient<Channel>, who: String) -> [Duration; 2] {
    let begun = Instant::now();
    let grant = allowed(auth.sign_in(in_time(profile(&who))).await).grant.unwrap();
    let signed_in = begun.elapsed();
    let request = IssueTokenRequest { grant, ..Default::default() };
    let mut refresh_token = auth.issue_token(in_time(request)).await.unwrap().into_inner().refresh_token;
    let mut refreshed = Duration::ZERO;
    for _ in 0..REFRESHES {
        let (begun, request) = (Instant::now(), RefreshTokenRequest { refresh_token, ..Default::default() });
        refresh_token = auth.refresh_token(in_time(request)).await.unwrap().into_inner().refresh_token;
        refreshed = refreshed.max(begun.elapsed());
    }
    [signed_in, refreshed]
}

fn in_time<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline());
    request
}

fn slower(one: [Duration; 2], other: [Duration; 2]) -> [Duration; 2] {
    [one[0].max(other[0]), one[1].max(other[1])]
}
