//! One write transaction: begun for writing, tried again when another writer was faster, committed or nothing; to its
//! end, whether or not somebody still waits for it.

use futures_util::future::BoxFuture;
use sea_orm::{DatabaseTransaction, DbErr};

use super::error::is_contention;
use super::pool::Pool;

/// How often contention is met with another try.
const RETRIES: u32 = 2;

/// Runs `step` with its input in a transaction and commits what it did.
///
/// A commit whose outcome is unknown is an error, never a success.
pub(super) async fn write<I: Send + Sync + 'static, T: Send + 'static>(
    pool: &Pool,
    input: I,
    step: impl for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T, DbErr>>
    + Send
    + Sync
    + 'static,
) -> Result<T, DbErr> {
    let own = pool.clone();
    pool.to_the_end(async move { again(|| once(&own, &input, &step)).await }).await
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
    pool: &Pool,
    input: &I,
    step: &(impl for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T, DbErr>> + Send + Sync),
) -> Result<T, DbErr> {
    let transaction = pool.begin().await?;
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
