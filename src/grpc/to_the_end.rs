//! Work that a caller who hangs up must not cut in half: what is revoked in the database holds in memory too.

use crate::auth::{Error, Result};

/// Runs it to its end, whether or not somebody still waits for the answer.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(broken) => Err(Error::Internal(
            if broken.is_panic() { "a handler panicked" } else { "cancelled" }.to_owned(),
        )),
    }
}
