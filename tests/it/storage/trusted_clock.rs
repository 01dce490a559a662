//! Rows that may be removed by this machine's clock, compared with the clock of a real server.

use std::sync::Arc;
use std::time::Duration;

use gatepass::model::{Clock as _, ManualClock, SystemClock};
use gatepass::storage::{DatabaseClock as _, FeedConnection, TrustedClock, clock_offset_ms};

use crate::storage::store::open;
use crate::support::databases::{Backend, TestDatabase};

const LEEWAY: Duration = Duration::from_secs(10);
const HOURS: Duration = Duration::from_hours(2);
const YEAR: Duration = Duration::from_hours(24 * 400);

async fn watch(database: &TestDatabase) -> FeedConnection {
    FeedConnection::new(&open(database.url.clone()).await).unwrap()
}

async fn a_clock_that_is_not_the_databases_removes_nothing(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let watch = Arc::new(watch(&database).await);
    let theirs = watch.database_time().await.unwrap().expect("a server has a clock of its own");
    for wrong in [theirs.plus(HOURS), theirs.plus(YEAR), theirs.minus(HOURS)] {
        let clock = Arc::new(ManualClock::at(theirs));
        let steady = TrustedClock::new(Arc::clone(&watch) as _, Arc::clone(&clock) as _, LEEWAY);
        assert!(steady.settle(theirs).await.unwrap().is_some());
        clock.set(wrong);
        assert_eq!(steady.settle(wrong).await.unwrap(), None);
        clock.set(watch.database_time().await.unwrap().unwrap());
        assert!(steady.settle(clock.now()).await.unwrap().is_some(), "it goes on when they agree");
    }
    watch.close().await;
}

async fn of_two_clocks_that_agree_the_one_behind_counts(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let watch = Arc::new(watch(&database).await);
    let ahead = watch.database_time().await.unwrap().unwrap().plus(Duration::from_hours(1));
    let leeway = Duration::from_hours(3);
    let clock = Arc::new(ManualClock::at(ahead));
    let steady = TrustedClock::new(Arc::clone(&watch) as _, clock, leeway);
    let settled = steady.settle(ahead).await.unwrap().unwrap();
    assert!(settled <= watch.database_time().await.unwrap().unwrap(), "{settled:?}");
    let behind = settled.minus(Duration::from_hours(1));
    let clock = Arc::new(ManualClock::at(behind));
    let steady = TrustedClock::new(Arc::clone(&watch) as _, clock, leeway);
    assert_eq!(steady.settle(behind).await.unwrap(), Some(behind));
    watch.close().await;
}

async fn the_offset_is_this_clock_less_the_servers(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let watch = watch(&database).await;
    // The server runs on this machine or uses NTP, so the offset is far below hours.
    let offset = clock_offset_ms(&watch, &SystemClock).await.unwrap().unwrap();
    assert!(offset.abs() < 600_000, "{offset}");
    let ahead = ManualClock::at(SystemClock.now().plus(HOURS));
    assert!(clock_offset_ms(&watch, &ahead).await.unwrap().unwrap() > 6_000_000);
    watch.close().await;
}

crate::on_servers!(
    a_clock_that_is_not_the_databases_removes_nothing,
    of_two_clocks_that_agree_the_one_behind_counts,
    the_offset_is_this_clock_less_the_servers,
);
