//! Two replicas on one database, each in its own process.

use std::sync::Arc;

use sea_orm::QueryResult;
use tempfile::TempDir;

use crate::support::databases::{Backend, TestDatabase, query};
use crate::support::program::Serving;
use crate::support::{Client, invariants};

/// The secret of both processes.
pub(super) const SECRET: &str = "the one secret of both replicas, long enough";

/// Two running programs.
pub(super) struct Pair {
    pub(super) replicas: Arc<[Client; 2]>,
    programs: [Serving; 2],
    database: TestDatabase,
    _folder: TempDir,
}

impl Pair {
    /// Starts both on an empty database.
    pub(super) async fn on(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    /// Starts both on an empty database, with more variables.
    pub(super) async fn with(backend: Backend, more: &[(&str, &str)]) -> Self {
        let database = TestDatabase::empty(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let secrets = format!("['{SECRET}']");
        let variables = [
            ("GATEPASS_DATABASE__URL", database.url.as_str()),
            ("GATEPASS_SECRETS", secrets.as_str()),
            ("GATEPASS_TELEMETRY__LOG_FORMAT", "json"),
            // On a slow machine calls wait for each other and do not fail, and a replay stays a replay.
            ("GATEPASS_DATABASE__ACQUIRE_TIMEOUT", "1m"),
            ("GATEPASS_SERVER__REQUEST_TIMEOUT", "2m"),
            ("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "5m"),
        ];
        let variables = [&variables, more].concat();
        let start = || Serving::ready(folder.path(), &[], &variables);
        let (one, two) = tokio::join!(start(), start());
        let programs = [one, two];
        let replicas = Arc::new([Client::of(&programs[0]).await, Client::of(&programs[1]).await]);
        Self { replicas, programs, database, _folder: folder }
    }

    /// Returns the replica for this number's parity.
    pub(super) fn replica(&self, number: usize) -> Client {
        self.replicas[number % 2].clone()
    }

    /// Returns the rows of a query.
    pub(super) async fn query(&self, sql: &str) -> Vec<QueryResult> {
        query(&self.database.connect().await, sql).await
    }

    /// Returns the only number of a query.
    pub(super) async fn count(&self, sql: &str) -> i64 {
        self.query(sql).await[0].try_get_by_index(0).unwrap()
    }

    /// Stops both. Neither may have logged an unexplained error, and the database must be consistent.
    pub(super) async fn finish(self) {
        for program in self.programs {
            for line in program.stop().await {
                let alarms = ["\"ERROR\"", "database unavailable", "failed to read revocation feed"];
                assert!(!alarms.iter().any(|alarm| line.contains(alarm)), "{line}");
            }
        }
        invariants::check(&self.database.connect().await).await;
    }
}
