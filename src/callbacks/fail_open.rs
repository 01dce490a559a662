//! A decorator that ignores failures of callbacks, as if they were not implemented. It covers `session` and `redirect`
//! only, since the other two decide who may sign in.

use std::sync::Arc;

use async_trait::async_trait;

use crate::auth::{Answer, Ask, CallbackFailure, CallbackResult, FailureKind, Question};

/// Callbacks whose failures are ignored.
pub struct FailOpen {
    inner: Arc<dyn Ask>,
    session: bool,
    redirect: bool,
}

impl FailOpen {
    /// Ignores failures of those of the two callbacks of `inner` that are true.
    #[must_use]
    pub fn new(inner: Arc<dyn Ask>, session: bool, redirect: bool) -> Self {
        Self { inner, session, redirect }
    }

    fn ignores(&self, question: Question<'_>) -> bool {
        match question {
            Question::SignIn(_) | Question::Jwt(_) => false,
            Question::Session(_) => self.session,
            Question::Redirect(_) => self.redirect,
        }
    }
}

fn log(CallbackFailure { callback, cause, kind }: &CallbackFailure) {
    // A rejection by the circuit breaker was already logged when the circuit opened.
    if *kind == FailureKind::NotAsked {
        tracing::debug!(callback, cause, "callback failed; continuing without it");
    } else {
        tracing::warn!(callback, cause, "callback failed; continuing without it");
    }
}

#[async_trait]
impl Ask for FailOpen {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        match self.inner.ask(question).await {
            Err(failure) if self.ignores(question) => {
                log(&failure);
                Ok(question.answer_by_default())
            }
            answer => answer,
        }
    }
}
