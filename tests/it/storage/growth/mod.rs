//! Growth: with many users, sessions and log rows, every statement of the stores still uses an index and costs the
//! same. `TEST_GROWTH_ROWS` sets the number of rows. The default is large enough for the databases to choose the same
//! plans as with millions. `just soak` uses a million and prints the duration of each step.

mod calls;
pub(crate) mod fill;
mod plans;

use std::time::Instant;

use gatepass::storage::{Database, FeedConnection};

use crate::storage::store::watched;
use crate::support::databases::{Backend, TestDatabase};

/// The default number of rows of each large table.
const FEW: u64 = 20_000;

/// The number of rows from which durations are printed.
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
    // A batch that is small compared with the table.
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
