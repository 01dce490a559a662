//! A decorator that counts and times callbacks of any implementation.

use std::sync::Arc;

use async_trait::async_trait;

use super::metrics::{CallbackMetrics, Lines, Outcome};
use crate::auth::{
    Answer, Ask, CallbackResult, CallbackSet, JwtDecision, PerCallback, Question, SignInDecision,
};

/// Callbacks, measured.
pub struct Measured {
    inner: Arc<dyn Ask>,
    lines: PerCallback<Option<Lines>>,
}

impl Measured {
    /// Measures the implemented callbacks of `inner`; `kind` is the kind of implementation: `policy`, `library` and so
    /// on.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Ask>,
        implemented: CallbackSet,
        kind: &'static str,
        metrics: &CallbackMetrics,
    ) -> Self {
        let lines = |callback| implemented.contains(callback).then(|| metrics.lines(kind, callback));
        Self { inner, lines: PerCallback::of(lines) }
    }
}

fn outcome(answer: &Answer) -> Outcome {
    match answer {
        Answer::SignIn(SignInDecision::Allow) => Outcome::Allow,
        Answer::SignIn(SignInDecision::Deny(_)) | Answer::Jwt(JwtDecision::Deny(_)) => Outcome::Deny,
        Answer::SignIn(SignInDecision::Redirect(_)) => Outcome::Redirect,
        Answer::Jwt(JwtDecision::Claims(_)) | Answer::Session(_) | Answer::Redirect(_) => Outcome::Ok,
    }
}

#[async_trait]
impl Ask for Measured {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        let running = self.lines.get(question.callback()).as_ref().map(Lines::begin);
        let answer = self.inner.ask(question).await;
        if let Some(running) = running {
            running.end(answer.as_ref().map_or(Outcome::Failed, outcome));
        }
        answer
    }
}
