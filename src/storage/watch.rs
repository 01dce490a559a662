//! Who follows the feed: on a connection of its own, so that it does not wait behind calls, and with an eye on the
//! database itself. It alone looks for a database that is away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::connect::Database;
use super::error::{StoreError, is_away, is_broken};
use super::open::Server;
use super::pool::Pool;
use super::{DatabaseClock, RevocationFeed, StoreResult, feed, users};
use crate::model::{FeedEntry, Timestamp, User, UserId};

/// How often a server is asked whether it takes writes: one that a failover left behind goes on answering questions.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Follows the feed of a database.
#[derive(Debug)]
pub struct Watch {
    database: Database,
    connection: ArcSwap<Pool>,
    seen_to_write: Mutex<Option<Instant>>,
}

impl Watch {
    /// Of this database.
    pub fn new(database: &Database) -> StoreResult<Self> {
        let connection = match database.server() {
            Some(server) => server.pool(database.options(), 1),
            None => database.pools()?.read.clone(),
        };
        let (database, connection) = (database.clone(), ArcSwap::from_pointee(connection));
        Ok(Self { database, connection, seen_to_write: Mutex::default() })
    }

    /// Runs a step. A connection that broke says nothing of the database: then it is knocked at, and the step tried on
    /// a new one.
    async fn ask<T, F>(&self, step: impl Fn(Arc<Pool>) -> F + Send + Sync) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let Some(server) = self.database.server() else { return self.once(&step).await };
        if self.database.is_unfit() {
            self.database.lost();
        }
        let (answered, mut broken) = (self.database.answered(), false);
        if !self.database.is_away() {
            match self.once(&step).await {
                Err(StoreError::Unavailable(cause)) if is_away(&cause) => broken = is_broken(&cause),
                outcome => return outcome,
            }
        }
        // A database that is slow answered calls meanwhile; connections that died without a word answer nobody.
        let dead = || broken || self.database.is_away() || self.database.answered() == answered;
        let found = self.look(server, &step, dead).await;
        if let Err(StoreError::Unavailable(cause)) = &found
            && is_away(cause)
        {
            self.database.lost();
        }
        found
    }

    /// Looks for the database on a new connection; calls get new ones if theirs are dead.
    async fn look<T, F>(
        &self,
        server: &Server,
        step: &(impl Fn(Arc<Pool>) -> F + Send + Sync),
        dead: impl Fn() -> bool + Send + Sync,
    ) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.in_time(async { Ok(server.knock().await?) }).await?;
        self.note_writes(None);
        let old = self.connection.swap(Arc::new(server.pool(self.database.options(), 1)));
        self.database.retire(&old);
        let answer = self.once(step).await?;
        if dead() {
            self.database.found().await?;
        }
        Ok(answer)
    }

    async fn once<T, F>(&self, step: &(impl Fn(Arc<Pool>) -> F + Send + Sync)) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let connection = self.connection.load_full();
        self.in_time(async {
            self.must_write(&connection).await?;
            step(Arc::clone(&connection)).await
        })
        .await
    }

    /// Refuses a server that only reads, as if it were away: it may be one that nobody writes to any more.
    async fn must_write(&self, connection: &Pool) -> StoreResult<()> {
        let backend = connection.get_database_backend();
        let sql = match backend {
            DbBackend::Postgres => POSTGRES_READS_ONLY,
            DbBackend::MySql => MYSQL_READS_ONLY,
            DbBackend::Sqlite | _ => return Ok(()),
        };
        let seen = *self.seen_to_write.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_some_and(|seen| seen.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        let asked = Instant::now();
        let row = connection.query_one_raw(Statement::from_string(backend, sql)).await?;
        let reads_only: Option<i64> = row.map(|row| row.try_get("", "reads_only")).transpose()?;
        if reads_only != Some(0) {
            return Err(StoreError::only_reads());
        }
        self.note_writes(Some(asked));
        Ok(())
    }

    fn note_writes(&self, at: Option<Instant>) {
        *self.seen_to_write.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// An answer that does not come is none: a network may lose a connection without a word.
    async fn in_time<T>(&self, step: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
        let patience = self.database.options().acquire_timeout;
        tokio::time::timeout(patience, step).await.map_err(|_| StoreError::no_answer())?
    }

    /// Lets go of its connection.
    pub async fn close(&self) {
        if self.database.server().is_some() {
            self.database.part_with(&self.connection.load()).await;
        }
    }
}

#[async_trait]
impl RevocationFeed for Watch {
    async fn revocations_after(&self, seq: i64) -> StoreResult<Vec<FeedEntry>> {
        self.ask(|connection| async move { feed::after(&connection, seq).await }).await
    }

    async fn find_users(&self, ids: &[UserId]) -> StoreResult<Vec<(UserId, StoreResult<User>)>> {
        self.ask(|connection| async move { users::find_all(&connection, ids).await }).await
    }
}

/// On a standby every transaction only reads.
const POSTGRES_READS_ONLY: &str =
    "SELECT CAST(CAST(current_setting('transaction_read_only') = 'on' AS INT) AS BIGINT) AS reads_only";

/// A number, or since MariaDB 12 a word.
const MYSQL_READS_ONLY: &str = "SELECT CAST((CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF') \
     OR @@global.innodb_read_only /*M! OR @@session.tx_read_only */) AS SIGNED) AS reads_only";

const POSTGRES_TIME: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS millis";
const MYSQL_TIME: &str = "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS millis";

#[async_trait]
impl DatabaseClock for Watch {
    async fn database_time(&self) -> StoreResult<Option<Timestamp>> {
        self.ask(|connection| async move {
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
