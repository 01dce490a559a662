//! The context of the current call: its id, its trace and its deadline. The transport sets it around each call; a
//! callback that calls a service passes it on. A spawned task loses the context unless the task is given it explicitly.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::futures::TaskLocalFuture;
use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// `x-request-id`: sent by the client, or generated here.
    pub request_id: Arc<str>,
    /// `traceparent` of the client (W3C Trace Context), if it sent one.
    pub traceparent: Option<Arc<str>>,
    /// The deadline of the response; `None` for work that no response waits for.
    pub due: Option<Instant>,
    /// The longest time that a call of this method may take, whatever the client requested.
    pub most: Duration,
}

/// Work on a call.
pub type OfCall<F> = TaskLocalFuture<CallContext, F>;

impl CallContext {
    /// Returns the call that the current task works on, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `work` in the context of this call.
    pub fn around<F: Future>(self, work: F) -> OfCall<F> {
        CURRENT.scope(self, work)
    }
}
