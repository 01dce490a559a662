//! Callbacks that are tried out: asked beside the call, compared with what was decided without them, logged, and never
//! obeyed. They delay no call and fail none; beyond a number of them at once they are left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::difference::Difference;
use super::question::Question;
use crate::auth::{
    CallContext, Callback, CallbackFailure, CallbackResult, Callbacks, FailureKind, JwtDecision, JwtInput,
    RedirectInput, SessionInput, SignInDecision, SignInInput,
};
use crate::model::ClaimMap;

/// Questions under way at a time.
const UNDER_WAY: usize = 64;

/// Tries callbacks out.
pub struct Shadow {
    inner: Arc<dyn Callbacks>,
    room: Arc<Semaphore>,
    full: Arc<AtomicBool>,
}

impl Shadow {
    /// Tries these.
    #[must_use]
    pub fn new(inner: Arc<dyn Callbacks>) -> Self {
        Self { inner, room: Arc::new(Semaphore::new(UNDER_WAY)), full: Arc::default() }
    }

    /// Has the question asked and the answer logged, by a task of its own.
    fn ask(&self, callback: Callback, question: impl FnOnce() -> Question) {
        let Some(place) = self.place() else { return };
        let (inner, question) = (Arc::clone(&self.inner), question());
        let context = CallContext::current();
        let request_id = context.as_ref().map(|context| Arc::clone(&context.request_id));
        let asking = async move {
            let _place = place;
            tell(callback, request_id.as_deref(), question.ask(&*inner).await);
        };
        match context {
            // No answer waits for it.
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
            tracing::warn!(under_way = UNDER_WAY, "too many shadow callbacks under way, leaving some out");
        }
        None
    }
}

fn tell(callback: Callback, request_id: Option<&str>, answer: Result<Difference, CallbackFailure>) {
    let callback = callback.name();
    match answer {
        Ok(Difference(would)) if would.is_empty() => {
            tracing::debug!(callback, request_id, "shadow callback agrees");
        }
        Ok(Difference(would)) => {
            let would = would.join(" ");
            tracing::info!(callback, request_id, would, "shadow callback would decide otherwise");
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
impl Callbacks for Shadow {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.ask(Callback::SignIn, || Question::sign_in(input));
        Ok(SignInDecision::Allow)
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.ask(Callback::Jwt, || Question::jwt(input));
        Ok(JwtDecision::Claims(ClaimMap::new()))
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.ask(Callback::Session, || Question::session(input));
        Ok(ClaimMap::new())
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.ask(Callback::Redirect, || Question::redirect(input));
        Ok(None)
    }

    fn has(&self, callback: Callback) -> bool {
        self.inner.has(callback)
    }

    fn decides(&self, _: Callback) -> bool {
        false
    }
}
