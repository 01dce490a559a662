//! A pool whose steps run to their end, whether or not somebody still waits for them, as a call does until its deadline.
//! A driver takes its connection back in the middle of a statement: the next one gets an answer that is not its own, or
//! writes into a transaction that nobody knows of and nobody commits (sqlx 0.9, of MariaDB and of PostgreSQL).

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, metric,
};
use tracing::Instrument;

use super::connect::{Observer, Options};

/// Connections that are taken for a step and given back after it.
#[derive(Debug, Clone)]
pub(super) struct Pool(pub(super) DatabaseConnection);

impl Pool {
    /// Of these connections, every statement told to whom the options name.
    pub(super) fn new(mut connections: DatabaseConnection, options: &Options) -> Self {
        if let Some(Observer(observer)) = options.observer.clone() {
            connections.set_metric_callback(move |info: &metric::Info<'_>| observer(&info.statement.sql));
        }
        Self(connections)
    }

    /// Begins a transaction that writes. Not to the end: for steps that are run so.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.0.begin_with_options(options).await
    }

    /// Closes every connection, when all are given back.
    pub(super) async fn close(&self) {
        // What is left open ends with the process.
        let _ = self.0.clone().close().await;
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let pool = self.0.clone();
        to_the_end(async move { pool.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (pool, sql) = (self.0.clone(), sql.to_owned());
        to_the_end(async move { pool.execute_unprepared(&sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let pool = self.0.clone();
        to_the_end(async move { pool.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let pool = self.0.clone();
        to_the_end(async move { pool.query_all_raw(statement).await }).await
    }
}

/// Runs a step to its end, though who waits for it be dropped.
pub(super) async fn to_the_end<T: Send + 'static>(
    step: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    match tokio::spawn(step.in_current_span()).await {
        Ok(done) => done,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(DbErr::Conn(RuntimeErr::Internal(ended.to_string()))),
    }
}
