//! Callbacks in shadow mode: called beside the call, compared with the decision that was made without them, logged, and
//! never obeyed. They neither delay nor fail a call; beyond a maximum number at once, further questions are skipped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::difference::Difference;
use super::owned_question::OwnedQuestion;
use crate::auth::{
    Answer, AnyCallbacks, Ask, CallContext, Callback, CallbackFailure, CallbackResult, FailureKind, Question,
};

/// The maximum number of concurrent questions.
const UNDER_WAY: usize = 64;

/// Callbacks in shadow mode.
pub struct Shadow {
    inner: Arc<dyn Ask>,
    room: Arc<Semaphore>,
    full: Arc<AtomicBool>,
}

impl Shadow {
    /// Wraps callbacks in shadow mode, so that they decide nothing.
    #[must_use]
    pub fn of(callbacks: AnyCallbacks) -> AnyCallbacks {
        let room = Arc::new(Semaphore::new(UNDER_WAY));
        callbacks.decorated(|inner| Self { inner, room, full: Arc::default() }).deciding_nothing()
    }

    /// Calls the callback and logs the answer, in a task of its own.
    fn try_out(&self, question: Question<'_>) {
        let Some(place) = self.place() else { return };
        let callback = question.callback();
        let (inner, question) = (Arc::clone(&self.inner), OwnedQuestion::of(question));
        let context = CallContext::current();
        let request_id = context.as_ref().map(|context| Arc::clone(&context.request_id));
        let asking = async move {
            let _place = place;
            log(callback, request_id.as_deref(), question.ask(&*inner).await);
        };
        match context {
            // No call waits for its answer.
            Some(context) => drop(tokio::spawn(CallContext { due: None, ..context }.around(asking))),
            None => drop(tokio::spawn(asking)),
        }
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.room).try_acquire_owned() {
            self.full.store(false, Ordering::Relaxed);
            return Some(place);
        }
        if !self.full.swap(true, Ordering::Relaxed) {
            tracing::warn!(under_way = UNDER_WAY, "too many concurrent shadow callbacks; skipping some");
        }
        None
    }
}

fn log(callback: Callback, request_id: Option<&str>, answer: CallbackResult<Difference>) {
    let callback = callback.name();
    match answer {
        Ok(Difference(would)) if would.is_empty() => {
            tracing::debug!(callback, request_id, "shadow callback matches");
        }
        Ok(Difference(would)) => {
            let would = would.join(" ");
            tracing::info!(callback, request_id, would, "shadow callback differs");
        }
        Err(CallbackFailure { cause, kind: FailureKind::NotAsked, .. }) => {
            tracing::debug!(callback, request_id, cause, "shadow callback failed");
        }
        Err(CallbackFailure { cause, .. }) => {
            tracing::warn!(callback, request_id, cause, "shadow callback failed");
        }
    }
}

#[async_trait]
impl Ask for Shadow {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        self.try_out(question);
        Ok(question.answer_by_default())
    }
}
