//! Work that continues if its caller disconnects. A revocation in the database also reaches memory, and a sign-in that
//! has used something up also writes its log row.

use futures_util::future::Either;

use crate::auth::CallContext;
use crate::net::Shield;

/// Runs work to its end, even if its caller is gone, in the context of its call.
pub(super) fn shielded<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Shield<T> {
    Shield::over(match CallContext::current() {
        Some(call) => Either::Left(call.around(work)),
        None => Either::Right(work),
    })
}
