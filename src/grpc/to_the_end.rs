//! Work that a caller who hangs up must not cut in half: what is revoked in the database holds in memory too, and a
//! sign-in that has used something up comes to its row in the log.

use tracing::Instrument as _;

use crate::auth::{CallContext, Error, Result};

/// Runs it to its end, whether or not somebody still waits for the answer; as work on the call that it is for.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let work = work.in_current_span();
    let running = match CallContext::current() {
        Some(call) => tokio::spawn(call.around(work)),
        None => tokio::spawn(work),
    };
    match running.await {
        Ok(done) => done,
        Err(broken) => Err(Error::Internal(
            if broken.is_panic() { "a handler panicked" } else { "cancelled" }.to_owned(),
        )),
    }
}
