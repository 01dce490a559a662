//! A pool whose steps run to their end, even if their caller is dropped, for example at its deadline. A driver can take
//! its connection back in the middle of a statement. The next statement then gets a wrong answer, or writes into a
//! transaction that is never committed (sqlx 0.9, of MariaDB and of PostgreSQL; upstream issues 2054, 4385 and
//! 4393 of sqlx). sqlx has no pool that waits for a dropped step, so this one is written by hand around it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, metric,
};

use super::options::{Observer, Options};
use crate::net::Shield;
use crate::storage::error::{is_unavailable, reads_only};

/// The longest time of a step. A server ends a statement sooner (`backends.rs`), and the caller has given up by then.
/// It limits the wait for a connection that the network lost silently.
const LONGEST_STEP: Duration = Duration::from_secs(30);

/// Connections that a step takes and returns.
#[derive(Debug, Clone)]
pub(in crate::storage) struct Pool(pub(in crate::storage) DatabaseConnection, Arc<Steps>);

/// The state of a pool, as its steps report it.
#[derive(Debug)]
pub(in crate::storage) struct Steps {
    born: Instant,
    answered_us: AtomicU64,
    /// The time when a step last found a broken connection; 0 for never.
    broke_us: AtomicU64,
    unfit: AtomicBool,
    /// The pool that replaced this one.
    successor: OnceLock<Pool>,
}

impl Steps {
    pub(in crate::storage) fn new() -> Self {
        Self {
            born: Instant::now(),
            answered_us: AtomicU64::new(0),
            broke_us: AtomicU64::new(0),
            unfit: AtomicBool::new(false),
            successor: OnceLock::new(),
        }
    }

    /// Returns true if a connection broke while another was idle for this long: the cause may have broken all.
    pub(in crate::storage) fn broke_within(&self, idle_for: Duration) -> bool {
        let broke = self.broke_us.load(Ordering::Relaxed);
        broke > 0 && self.age_us().saturating_sub(broke) <= micros(idle_for)
    }

    fn age_us(&self) -> u64 {
        micros(self.born.elapsed())
    }

    fn silent_for(&self) -> Duration {
        let answered = Duration::from_micros(self.answered_us.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(answered)
    }

    fn note(&self, outcome: Option<&DbErr>) {
        match outcome {
            Some(DbErr::ConnectionAcquire(_)) => {
                if self.silent_for() > LONGEST_STEP {
                    self.unfit.store(true, Ordering::Relaxed);
                }
            }
            Some(error) if is_unavailable(error) => self.broke_us.store(self.age_us(), Ordering::Relaxed),
            outcome => {
                if outcome.is_some_and(reads_only) {
                    self.unfit.store(true, Ordering::Relaxed);
                }
                self.answered_us.store(self.age_us(), Ordering::Relaxed);
            }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Pool {
    /// Makes a pool of these connections; the observer in the options receives every statement.
    pub(in crate::storage) fn new(
        mut connections: DatabaseConnection,
        steps: Arc<Steps>,
        options: &Options,
    ) -> Self {
        if let Some(Observer(observer)) = options.observer.clone() {
            connections.set_metric_callback(move |info: &metric::Info<'_>| observer(&info.statement.sql));
        }
        Self(connections, steps)
    }

    /// Returns the time since the database last answered a step, even with an error.
    pub(in crate::storage) fn silent_for(&self) -> Duration {
        self.1.silent_for()
    }

    /// Returns true if its connections must be replaced. One died silently, or all are taken and none has answered for
    /// long, or they lead to a read-only server.
    pub(in crate::storage) fn is_unfit(&self) -> bool {
        self.1.unfit.load(Ordering::Relaxed)
    }

    /// Passes steps that have no connection yet to `successor` once this pool is closed.
    pub(in crate::storage) fn is_followed_by(&self, successor: &Self) {
        // A pool is replaced only once.
        let _ = self.1.successor.set(successor.clone());
    }

    /// Begins a write transaction; only for steps that run to their end.
    pub(in crate::storage) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let begin = |connections: DatabaseConnection| async move {
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            connections.begin_with_options(options).await
        };
        self.open(begin).await
    }

    /// Runs a step on open connections; the pool may have been replaced after the step took it.
    async fn open<T, F>(&self, step: impl Fn(DatabaseConnection) -> F + Send) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>> + Send,
    {
        let mut pool = self;
        loop {
            let done = step(pool.0.clone()).await;
            match (&done, pool.1.successor.get()) {
                (Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)), Some(successor)) => {
                    pool = successor;
                }
                _ => return done,
            }
        }
    }

    /// Runs one statement to its end, on open connections.
    async fn state<T: Send + 'static, F>(
        &self,
        statement: Statement,
        step: impl Fn(DatabaseConnection, Statement) -> F + Send + Sync + 'static,
    ) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>> + Send,
    {
        let pool = self.clone();
        self.to_the_end(async move { pool.open(|connections| step(connections, statement.clone())).await })
            .await
    }

    /// Runs a step of this pool to its end, even if its caller is dropped.
    pub(in crate::storage) async fn to_the_end<T: Send + 'static>(
        &self,
        step: impl Future<Output = Result<T, DbErr>> + Send + 'static,
    ) -> Result<T, DbErr> {
        let pool = self.clone();
        Shield::over(async move { pool.run(step).await }).await
    }

    async fn run<T>(&self, step: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, DbErr> {
        let done = self.in_time(step).await;
        self.1.note(done.as_ref().err());
        done
    }

    async fn in_time<T>(&self, step: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, DbErr> {
        if self.get_database_backend() == DbBackend::Sqlite {
            return step.await;
        }
        let mut step = Box::pin(step);
        if let Ok(done) = tokio::time::timeout(LONGEST_STEP, &mut step).await {
            return done;
        }
        self.1.unfit.store(true, Ordering::Relaxed);
        // Closed from the first poll on: only then may the step be dropped, because its connection is no longer used.
        let _ = tokio::time::timeout(Duration::ZERO, self.close()).await;
        drop(step);
        Err(DbErr::Conn(RuntimeErr::Internal("a database request did not finish in time".to_owned())))
    }

    /// Closes every connection, after all are returned.
    pub(in crate::storage) async fn close(&self) {
        // The end of the process closes any remaining connection.
        let _ = self.0.clone().close().await;
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.state(
            statement,
            |connections, statement| async move { connections.execute_raw(statement).await },
        )
        .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (pool, sql): (_, Arc<str>) = (self.clone(), sql.into());
        let step = move |connections: DatabaseConnection| {
            let sql = Arc::clone(&sql);
            async move { connections.execute_unprepared(&sql).await }
        };
        self.to_the_end(async move { pool.open(step).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.state(
            statement,
            |connections, statement| async move { connections.query_one_raw(statement).await },
        )
        .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.state(
            statement,
            |connections, statement| async move { connections.query_all_raw(statement).await },
        )
        .await
    }
}
