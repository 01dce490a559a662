//! Work that a caller who hangs up must not cut in half: what is revoked in the database holds in memory too, and a
//! sign-in that has used something up comes to its row in the log.

use futures_util::future::Either;

use crate::auth::CallContext;
use crate::net::Shield;

/// Runs it to its end, whether or not somebody still waits for the answer; as work on the call that it is for.
pub(super) fn shielded<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Shield<T> {
    Shield::over(match CallContext::current() {
        Some(call) => Either::Left(call.around(work)),
        None => Either::Right(work),
    })
}
