//! A write transaction: begun for writing, retried if another writer was faster, committed or rolled back. It runs to
//! its end even if its caller is dropped.

use futures_util::future::BoxFuture;
use sea_orm::{DatabaseTransaction, DbErr};

use super::connection::Pool;
use super::error::is_contention;

/// The maximum number of retries after contention.
const RETRIES: u32 = 2;

/// Runs `step` with its input in a transaction and commits it.
///
/// A commit with an unknown outcome is an error, never a success.
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

/// Retries a single-statement transaction if another writer was faster.
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
            // The error of the step is returned; a failed rollback ends with its connection.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sea_orm::RuntimeErr;
    use sea_orm::sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// A database error with this code.
    #[derive(Debug)]
    struct Answer(&'static str);

    impl std::fmt::Display for Answer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Answer {}

    impl DatabaseError for Answer {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    /// Returns the number of tries and the success, if the first `failing` attempts end with this `SQLite` code.
    async fn tried(code: &'static str, failing: u32) -> (u32, bool) {
        let tries = AtomicU32::new(0);
        let attempt = || async {
            if tries.fetch_add(1, Ordering::Relaxed) < failing {
                let cause = sea_orm::sqlx::Error::Database(Box::new(Answer(code)));
                return Err(DbErr::Exec(RuntimeErr::SqlxError(cause.into())));
            }
            Ok(())
        };
        let outcome = again(attempt).await;
        (tries.load(Ordering::Relaxed), outcome.is_ok())
    }

    #[tokio::test]
    async fn a_busy_database_is_retried_at_most_twice() {
        const BUSY: &str = "5";
        assert_eq!(tried(BUSY, 0).await, (1, true));
        assert_eq!(tried(BUSY, 2).await, (3, true));
        assert_eq!(tried(BUSY, 9).await, (3, false));
    }

    #[tokio::test]
    async fn other_failures_are_not_retried() {
        const FULL: &str = "13";
        assert_eq!(tried(FULL, 1).await, (1, false));
    }
}
