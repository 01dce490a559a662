//! What whoever works on a call may know of it without being told: its id, its trace, and when its answer is due. The
//! transport says so around each call; a callback that asks others passes it on. Work that is spawned loses it, unless it
//! is taken along.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::futures::TaskLocalFuture;
use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// A call under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// `x-request-id`: the client's, or one of ours.
    pub request_id: Arc<str>,
    /// `traceparent` of the client (W3C Trace Context), if it sent one.
    pub traceparent: Option<Arc<str>>,
    /// When the answer is due; `None` for work that no answer waits for.
    pub due: Option<Instant>,
    /// The longest that a call of this method may take, whatever its client asked for.
    pub most: Duration,
}

/// Work on a call.
pub type OfCall<F> = TaskLocalFuture<CallContext, F>;

impl CallContext {
    /// The call that is being worked on here, if it is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Makes `work` one on this call.
    pub fn around<F: Future>(self, work: F) -> OfCall<F> {
        CURRENT.scope(self, work)
    }
}
