//! The connection that reads the feed. It does not queue behind calls, and it monitors the database. Only this
//! connection probes an unavailable database.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, QuerySelect, QueryTrait, Statement};

use super::backends::Server;
use super::database::Database;
use super::pool::Pool;
use crate::model::{FeedEntry, Timestamp, User, UserId};
use crate::storage::convert;
use crate::storage::entity::revocation;
use crate::storage::error::{StoreError, StoreResult, is_broken, is_unavailable};
use crate::storage::lookups::{entries_after, select_after, users_of};
use crate::storage::traits::{DatabaseClock, RevocationFeed};

/// Reads the feed of a database on a connection of its own.
#[derive(Debug)]
pub struct FeedConnection {
    database: Database,
    connection: ArcSwap<Pool>,
}

impl FeedConnection {
    /// Prepares the connection to a database, which is opened when it is first needed.
    pub fn new(database: &Database) -> StoreResult<Self> {
        let connection = match database.server() {
            Some(server) => server.pool(database.options(), 1),
            None => database.pools()?.read.clone(),
        };
        Ok(Self { database: database.clone(), connection: ArcSwap::from_pointee(connection) })
    }

    /// Runs a step. A broken connection does not mean that the database is unavailable: the database is probed, and the
    /// step retried on a new connection.
    async fn run<T, F>(&self, step: impl Fn(Arc<Pool>) -> F + Send + Sync) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let Some(server) = self.database.server() else { return self.once(&step).await };
        if self.database.is_unfit() {
            self.database.mark_unavailable();
        }
        let mut dead = true;
        if !self.database.is_unavailable() {
            match self.once(&step).await {
                Err(StoreError::Unavailable(cause)) if is_unavailable(&cause) => {
                    // A slow database still answers calls; silently dead connections answer none.
                    dead = is_broken(&cause) || self.database.silent_for() >= self.patience() / 2;
                }
                outcome => return outcome,
            }
        }
        let found = self.run_anew(server, &step, dead).await;
        if let Err(StoreError::Unavailable(cause)) = &found
            && is_unavailable(cause)
        {
            self.database.mark_unavailable();
        }
        found
    }

    /// Probes the database and runs the step on a new connection; calls get new connections if theirs are dead.
    async fn run_anew<T, F>(
        &self,
        server: &Server,
        step: &(impl Fn(Arc<Pool>) -> F + Send + Sync),
        dead: bool,
    ) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.in_time(async { Ok(server.probe().await?) }).await?;
        let old = self.connection.swap(Arc::new(server.pool(self.database.options(), 1)));
        self.database.retire(&old);
        self.in_time(must_write(&self.connection.load())).await?;
        let answer = self.once(step).await?;
        if dead {
            self.database.mark_available().await?;
        }
        Ok(answer)
    }

    async fn once<T, F>(&self, step: &(impl Fn(Arc<Pool>) -> F + Send + Sync)) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.in_time(step(self.connection.load_full())).await
    }

    /// Limits the time of a step: a network may lose a connection silently.
    async fn in_time<T>(&self, step: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
        tokio::time::timeout(self.patience(), step).await.map_err(|_| StoreError::no_answer())?
    }

    fn patience(&self) -> Duration {
        self.database.options().acquire_timeout
    }

    /// Closes the connection.
    pub async fn close(&self) {
        if self.database.server().is_some() {
            self.database.close_pool(&self.connection.load()).await;
        }
    }
}

#[async_trait]
impl RevocationFeed for FeedConnection {
    async fn revocations_after(&self, seq: i64) -> StoreResult<Vec<FeedEntry>> {
        self.run(|connection| async move { read_of_writer(&connection, seq).await }).await
    }

    async fn find_users(&self, ids: &[UserId]) -> StoreResult<Vec<(UserId, StoreResult<User>)>> {
        self.run(|connection| async move { users_of(&*connection, ids).await }).await
    }
}

/// On a standby every transaction is read-only.
const POSTGRES_READS_ONLY: &str =
    "CAST(CAST(current_setting('transaction_read_only') = 'on' AS INT) AS BIGINT)";

/// A number, or a word since MariaDB 12.
const MYSQL_READS_ONLY: &str = "CAST((CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF') \
     OR @@global.innodb_read_only /*M! OR @@session.tx_read_only */) AS SIGNED)";

/// Reads the feed and, in the same statement, whether the server accepts writes. After a failover the old server may
/// still answer, with a feed that no longer grows.
async fn read_of_writer(connection: &Pool, seq: i64) -> StoreResult<Vec<FeedEntry>> {
    let Some(reads_only) = reads_only(connection) else { return entries_after(connection, seq).await };
    let select = select_after(seq).expr_as(Expr::cust(reads_only), "reads_only");
    let rows = connection.query_all_raw(select.build(connection.get_database_backend())).await?;
    match rows.first() {
        Some(row) => refuse_reader(row)?,
        None => must_write(connection).await?,
    }
    rows.iter().map(|row| convert::feed_entry(&revocation::Model::from_query_result(row, "")?)).collect()
}

/// Rejects a read-only server, as if it were unavailable.
async fn must_write(connection: &Pool) -> StoreResult<()> {
    let Some(reads_only) = reads_only(connection) else { return Ok(()) };
    let sql = format!("SELECT {reads_only} AS reads_only");
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await?.as_ref().map_or(Ok(()), refuse_reader)
}

fn refuse_reader(row: &QueryResult) -> StoreResult<()> {
    let reads_only: i64 = row.try_get("", "reads_only")?;
    if reads_only == 0 { Ok(()) } else { Err(StoreError::only_reads()) }
}

fn reads_only(connection: &Pool) -> Option<&'static str> {
    match connection.get_database_backend() {
        DbBackend::Postgres => Some(POSTGRES_READS_ONLY),
        DbBackend::MySql => Some(MYSQL_READS_ONLY),
        DbBackend::Sqlite | _ => None,
    }
}

const POSTGRES_TIME: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS millis";
const MYSQL_TIME: &str = "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS millis";

#[async_trait]
impl DatabaseClock for FeedConnection {
    async fn database_time(&self) -> StoreResult<Option<Timestamp>> {
        self.run(|connection| async move {
            let sql = match connection.get_database_backend() {
                DbBackend::Postgres => POSTGRES_TIME,
                DbBackend::MySql => MYSQL_TIME,
                DbBackend::Sqlite | _ => return Ok(None),
            };
            let statement = Statement::from_string(connection.get_database_backend(), sql);
            let Some(row) = connection.query_one_raw(statement).await? else { return Ok(None) };
            Ok(Some(Timestamp(row.try_get("", "millis")?)))
        })
        .await
    }
}
