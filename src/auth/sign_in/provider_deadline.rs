//! The time that a provider has to answer.

use std::time::Duration;

use tokio::time::Instant;

use crate::auth::call_context::CallContext;

/// The rest of the call after the provider's time: enough to log that it did not answer.
const LEFT_TO_TELL: Duration = Duration::from_millis(500);

/// The time of a provider if no deadline is known.
const NO_DEADLINE: Duration = Duration::from_secs(10);

/// Answers until when a provider may take: the call's deadline, less what it takes to tell of a failure.
pub(super) fn provider_until() -> Instant {
    let due = CallContext::current().and_then(|call| call.due);
    let now = Instant::now();
    let due = due.unwrap_or(now + NO_DEADLINE);
    let left = due.saturating_duration_since(now);
    due.checked_sub(LEFT_TO_TELL.min(left / 10)).unwrap_or(due)
}
