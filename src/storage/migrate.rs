//! Schema migration, by one replica at a time. PostgreSQL and SQLite migrate in one transaction. MariaDB commits each
//! statement separately, so a step there may be found half done, and can be repeated.

use std::collections::HashSet;

use futures_util::FutureExt;
use gatepass_migrations::Migrator;
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::{MigratorTrait, SchemaManager};

use super::connection::{Database, Pool};
use super::error::StoreError;

/// The lock under which one replica migrates while the others wait; after a minute they try again.
const POSTGRES_LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; \
     SELECT pg_advisory_xact_lock(hashtextextended('gatepass migrations', 0))";
const MYSQL_PATIENCE: &str =
    "SET SESSION innodb_lock_wait_timeout = 60 /*M!100300 , max_statement_time = 0 */";
const MYSQL_LOCK: &str = "SELECT GET_LOCK(CONCAT('gatepass ', MD5(DATABASE())), 60) AS taken";

impl Database {
    /// Brings the schema up to date. If several replicas start at once, one does it and the others wait.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.is_migrated().await? {
            return Ok(());
        }
        self.alone(async |transaction| Migrator::up(transaction, None).await).await
    }

    /// Reverts every migration; for tests of the schema.
    pub async fn migrate_down(&self) -> Result<(), StoreError> {
        self.alone(async |transaction| Migrator::down(transaction, None).await).await
    }

    /// Returns true if every migration of this version has run; changes nothing.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        let pools = self.pools()?;
        if !SchemaManager::new(&pools.write.0).has_table("seaql_migrations").await? {
            return Ok(false);
        }
        let select = Query::select().column(Alias::new("version")).from("seaql_migrations").to_owned();
        let rows = pools.write.query_all(&select).await?;
        let applied: HashSet<String> =
            rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
        // More may have run: those of a newer version during a rollout.
        Ok(Migrator::migrations().iter().all(|step| applied.contains(step.name())))
    }

    /// Changes the schema under the lock. On a server it uses its own connection, so that session settings end with it.
    async fn alone(
        &self,
        change: impl AsyncFnOnce(&DatabaseTransaction) -> Result<(), DbErr>,
    ) -> Result<(), StoreError> {
        let own = self.server().map(|server| server.pool(self.options(), 1));
        let pool = match &own {
            Some(pool) => pool.clone(),
            None => self.pools()?.write.clone(),
        };
        let exclusive = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Exclusive),
            ..TransactionOptions::default()
        };
        let transaction = pool.0.begin_with_options(exclusive).await?;
        // Dropped before the transaction if the caller is gone: the connection that holds the lock is then closed
        // without waiting.
        let own = own.map(Own);
        lock(&transaction).await?;
        change(&transaction).await?;
        transaction.commit().await?;
        if let Some(Own(own)) = &own {
            own.close().await;
        }
        Ok(())
    }
}

/// A pool that is closed when it is dropped.
struct Own(Pool);

impl Drop for Own {
    fn drop(&mut self) {
        // Closed from the first poll on.
        let _ = self.0.close().now_or_never();
    }
}

async fn lock(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    match transaction.get_database_backend() {
        DbBackend::Postgres => {
            transaction.execute_unprepared(POSTGRES_LOCK).await?;
        }
        DbBackend::MySql => {
            transaction.execute_unprepared(MYSQL_PATIENCE).await?;
            let statement = sea_orm::Statement::from_string(DbBackend::MySql, MYSQL_LOCK);
            let taken = transaction.query_one_raw(statement).await?;
            let taken = taken.map(|row| row.try_get::<Option<i64>>("", "taken")).transpose()?.flatten();
            if taken != Some(1) {
                return Err(DbErr::Conn(sea_orm::RuntimeErr::Internal(
                    "another replica has been migrating for a minute".to_owned(),
                )));
            }
        }
        DbBackend::Sqlite | _ => {}
    }
    Ok(())
}
