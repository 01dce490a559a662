//! Opening the database: one connection that writes, a pool that reads, and the migrations between them.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass_migrations::Migrator;
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::{
    DatabaseConnection, DbErr, RuntimeErr, SqliteTransactionMode, SqlxSqliteConnector, TransactionOptions,
    TransactionTrait, metric, sqlx,
};
use sea_orm_migration::MigratorTrait;

use super::error::{StoreError, is_contention};

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://FILE?mode=rwc` or `sqlite::memory:`.
    pub url: String,
    /// The most connections that read.
    pub max_connections: u32,
    /// How long a step waits for a connection.
    pub acquire_timeout: Duration,
}

/// The database: every store's trait is implemented by it, each in a file of its own.
#[derive(Debug, Clone)]
pub struct Database {
    pub(super) read: DatabaseConnection,
    pub(super) write: DatabaseConnection,
}

impl Database {
    /// Opens the database. SQLite has one writer at a time, so has this.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let sqlite = SqliteConnectOptions::from_str(&options.url)
            .map_err(|cause| StoreError::Broken(cause.to_string()))?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(options.acquire_timeout)
            .foreign_keys(true)
            .optimize_on_close(false, None);
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.acquire_timeout)
                .test_before_acquire(false)
        };
        let writer = || pool(1).idle_timeout(None).max_lifetime(None).min_connections(1);
        let write =
            first_connection(|| writer().connect_with(sqlite.clone()), options.acquire_timeout).await?;
        let write = SqlxSqliteConnector::from_sqlx_sqlite_pool(write);
        let in_memory = options.url.contains(":memory:") || options.url.contains("mode=memory");
        let read = if in_memory {
            write.clone()
        } else {
            let readers = pool(options.max_connections).connect_lazy_with(sqlite.read_only(true));
            SqlxSqliteConnector::from_sqlx_sqlite_pool(readers)
        };
        Ok(Self { read, write })
    }

    /// Brings the schema up to date, under an exclusive lock: of two that start at once, one waits.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.is_migrated().await? {
            return Ok(());
        }
        let exclusive = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Exclusive),
            ..TransactionOptions::default()
        };
        let transaction = self.write.begin_with_options(exclusive).await?;
        Migrator::up(&transaction, None).await?;
        Ok(transaction.commit().await?)
    }

    /// Whether every migration has run.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        let Ok(applied) = Migrator::get_migration_models(&self.write).await else { return Ok(false) };
        Ok(applied.len() >= Migrator::migrations().len())
    }

    /// Undoes every migration; for tests of the schema.
    pub async fn migrate_down(&self) -> Result<(), StoreError> {
        Ok(Migrator::down(&self.write, None).await?)
    }

    /// Calls `observer` with every statement, without its values.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&str) + Clone + Send + Sync + 'static) -> Self {
        let reads = observer.clone();
        self.read.set_metric_callback(move |info: &metric::Info<'_>| reads(&info.statement.sql));
        self.write.set_metric_callback(move |info: &metric::Info<'_>| observer(&info.statement.sql));
        self
    }

    /// Closes every connection, the write-ahead log checkpointed.
    pub async fn close(self) {
        let _ = self.read.close().await;
        let _ = self.write.close().await;
    }
}

/// Opens the writer. A file that another process turns to write-ahead logging at the same moment is locked, and
/// SQLite's busy timeout does not cover that moment.
async fn first_connection<F: Future<Output = Result<SqlitePool, sqlx::Error>>>(
    connect: impl Fn() -> F,
    patience: Duration,
) -> Result<SqlitePool, DbErr> {
    let begin = Instant::now();
    loop {
        let refused = |cause| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(cause)));
        match connect().await.map_err(refused) {
            Err(error) if is_contention(&error) && begin.elapsed() < patience => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            outcome => return outcome,
        }
    }
}
