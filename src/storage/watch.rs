//! Who follows the feed: on a connection of its own, so that it does not wait behind calls, and with an eye on the
//! database itself. It alone looks for a database that is away.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::connect::Database;
use super::error::{StoreError, is_away};
use super::open::Server;
use super::pool::Pool;
use super::{DatabaseClock, RevocationFeed, StoreResult, feed, users};
use crate::model::{FeedEntry, Timestamp, User, UserId};

/// Follows the feed of a database.
#[derive(Debug)]
pub struct Watch {
    database: Database,
    connection: ArcSwap<Pool>,
}

impl Watch {
    /// Of this database.
    pub fn new(database: &Database) -> StoreResult<Self> {
        let connection = match database.server() {
            Some(server) => server.pool(database.options(), 1),
            None => database.pools()?.read.clone(),
        };
        Ok(Self { database: database.clone(), connection: ArcSwap::from_pointee(connection) })
    }

    /// Runs a step. A connection that broke says nothing of the database: then it is knocked at, and the step tried on
    /// a new one.
    async fn ask<T, F>(&self, step: impl Fn(Arc<Pool>) -> F + Send + Sync) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let Some(server) = self.database.server() else { return self.once(&step).await };
        if !self.database.is_away() {
            match self.once(&step).await {
                Err(StoreError::Unavailable(cause)) if is_away(&cause) => {}
                outcome => return outcome,
            }
        }
        let found = self.look(server, &step).await;
        if let Err(StoreError::Unavailable(cause)) = &found
            && is_away(cause)
        {
            self.database.lost();
        }
        found
    }

    async fn look<T, F>(
        &self,
        server: &Server,
        step: &(impl Fn(Arc<Pool>) -> F + Send + Sync),
    ) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.in_time(async { Ok(server.knock().await?) }).await?;
        self.connection.store(Arc::new(server.pool(self.database.options(), 1)));
        let answer = self.once(step).await?;
        self.database.found().await?;
        Ok(answer)
    }

    async fn once<T, F>(&self, step: &(impl Fn(Arc<Pool>) -> F + Send + Sync)) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.in_time(step(self.connection.load_full())).await
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
