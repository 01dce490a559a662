//! How a database is reached.

use std::sync::Arc;
use std::time::Duration;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://FILE?mode=rwc`, `sqlite::memory:`, `postgres://…`, or `mysql://…` for MariaDB.
    pub url: String,
    /// The most connections that calls take; following the feed takes one more.
    pub max_connections: u32,
    /// How long a step waits for a connection.
    pub acquire_timeout: Duration,
    /// Who is told every statement.
    pub observer: Option<Observer>,
}

/// Is told every statement, without its values.
#[derive(Clone)]
pub struct Observer(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}
