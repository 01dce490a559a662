//! The time limit of a provider.

use std::time::Duration;

use tokio::time::Instant;

use crate::auth::call_context::CallContext;

/// The part of the call that remains after the provider's deadline: enough to log a timeout.
const LEFT_TO_TELL: Duration = Duration::from_millis(500);

/// The time limit of a provider if the call has no deadline.
const NO_DEADLINE: Duration = Duration::from_secs(10);

/// Returns the deadline of a provider: that of the call, less the time to log a failure.
pub(super) fn provider_until() -> Instant {
    let due = CallContext::current().and_then(|call| call.due);
    let now = Instant::now();
    let due = due.unwrap_or(now + NO_DEADLINE);
    let left = due.saturating_duration_since(now);
    due.checked_sub(LEFT_TO_TELL.min(left / 10)).unwrap_or(due)
}
