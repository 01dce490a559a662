//! Growth: among many users, sessions and log rows every statement of the stores finds its rows by an index, and costs
//! what it cost among few. `TEST_GROWTH_ROWS` says how many: some thousands where it says nothing, enough for the
//! databases to choose as they would among millions; `just soak` takes a million and prints how long each step takes.

mod calls;
pub(crate) mod fill;
mod plans;

use std::time::Instant;

use gatepass::storage::{Database, FeedConnection};

use crate::store::watched;
use crate::support::databases::{Backend, TestDatabase};

/// Rows of each large table where nothing else is said.
const FEW: u64 = 20_000;

/// From here on times are worth telling.
const MANY: u64 = 500_000;

fn rows() -> u64 {
    std::env::var("TEST_GROWTH_ROWS").map_or(FEW, |rows| rows.parse().expect("a number of rows"))
}

async fn every_statement_uses_an_index(backend: Backend) {
    let (rows, kept) = (rows(), TestDatabase::empty(backend).await);
    let (options, seen) = watched(kept.url.clone());
    let database = Database::connect(&options).await.unwrap();
    database.migrate().await.unwrap();
    seen.lock().unwrap().clear();
    let watch = FeedConnection::new(&database).unwrap();
    let people = calls::sign_up_all(&database, if rows < MANY { 3 } else { 100 }).await;
    calls::run(&database, &watch, &people).await;
    let among_few = calls::run(&database, &watch, &people).await;

    let connection = kept.connect().await;
    let begin = Instant::now();
    fill::fill(&connection, rows).await;
    let filled = begin.elapsed();
    // As many at once as is little among so many.
    let batch = (rows / 1000).min(calls::BATCH);
    assert_eq!(calls::sweep_once(&database, batch).await, 6 * batch);
    let statements = seen.lock().unwrap().clone();
    assert!(statements.len() > 35, "{statements:#?}");
    plans::check(&connection, &statements, batch).await;

    if rows >= MANY {
        calls::run(&database, &watch, &people).await;
        let among_many = calls::run(&database, &watch, &people).await;
        calls::tell(backend, rows, filled, &among_few, &among_many);
    }
    let swept = calls::sweep(&database, backend, rows >= MANY).await;
    assert!(swept >= rows / 10, "{swept} of {rows}");
    watch.close().await;
    database.close().await;
}

#[tokio::test]
async fn on_sqlite_every_statement_uses_an_index() {
    every_statement_uses_an_index(Backend::Sqlite).await;
}

crate::on_servers!(every_statement_uses_an_index);
