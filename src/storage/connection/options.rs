//! The options of a database's connections.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

/// The address of the database, and the limits of its connections.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://FILE?mode=rwc`, `sqlite::memory:`, `postgres://…`, or `mysql://…` for MariaDB. It may hold a password.
    pub url: SecretString,
    /// The maximum number of connections for calls; the feed uses one more.
    pub max_connections: u32,
    /// The longest wait of a step for a connection.
    pub acquire_timeout: Duration,
    /// An observer of every statement.
    pub observer: Option<Observer>,
}

/// A function that is called with every statement, without its values.
#[derive(Clone)]
pub struct Observer(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}
