//! One write transaction: begun for writing, tried again when another writer was faster, committed or nothing.

use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::error::is_contention;

/// How often contention is met with another try.
const RETRIES: u32 = 2;

/// Runs `step` with its input in a transaction and commits what it did.
///
/// A commit whose outcome is unknown is an error, never a success.
pub(super) async fn write<I: Sync, T>(
    connection: &DatabaseConnection,
    input: &I,
    step: impl for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T, DbErr>> + Send + Sync,
) -> Result<T, DbErr> {
    again(|| once(connection, input, &step)).await
}

/// Tries what is a transaction by itself again where another writer was faster.
pub(super) async fn again<T, F>(attempt: impl Fn() -> F) -> Result<T, DbErr>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let mut tries = 0;
    loop {
        match attempt().await {
            Err(error) if tries < RETRIES && is_contention(&error) => tries += 1,
            outcome => return outcome,
        }
    }
}

async fn once<I: Sync, T>(
    connection: &DatabaseConnection,
    input: &I,
    step: &(impl for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T, DbErr>> + Send + Sync),
) -> Result<T, DbErr> {
    let transaction = begin(connection.clone()).await?;
    match step(&transaction, input).await {
        Ok(done) => {
            transaction.commit().await?;
            Ok(done)
        }
        Err(error) => {
            // The step's own error is the news; a rollback that fails ends with its connection.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Begins a transaction, to the end even where nobody waits for it any more, as when a call's deadline passes: sqlx
/// forgets of a BEGIN that was dropped half way, and what its connection writes next is acknowledged but never
/// committed.
async fn begin(connection: DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let begun = tokio::spawn(async move { connection.begin_with_options(options).await }).await;
    begun.map_err(|ended| DbErr::Conn(RuntimeErr::Internal(ended.to_string())))?
}
