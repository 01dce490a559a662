//! Callbacks that are counted and timed, whoever gives them: a decorator of the trait.

use std::sync::Arc;

use async_trait::async_trait;

use super::metrics::{CallbackMetrics, Lines, Outcome};
use crate::auth::{
    Callback, CallbackResult, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput, SignInDecision,
    SignInInput,
};
use crate::model::ClaimMap;

/// Callbacks, measured.
pub struct Measured {
    inner: Arc<dyn Callbacks>,
    sign_in: Option<Lines>,
    jwt: Option<Lines>,
    session: Option<Lines>,
    redirect: Option<Lines>,
}

impl Measured {
    /// Around `inner`, which is given in this way: `policy`, `library` and the like.
    #[must_use]
    pub fn new(inner: Arc<dyn Callbacks>, kind: &'static str, metrics: &CallbackMetrics) -> Self {
        let lines = |callback| inner.has(callback).then(|| metrics.lines(kind, callback));
        Self {
            sign_in: lines(Callback::SignIn),
            jwt: lines(Callback::Jwt),
            session: lines(Callback::Session),
            redirect: lines(Callback::Redirect),
            inner,
        }
    }
}

/// Waits for an answer, counted into `lines` as what `outcome` makes of it.
async fn measured<T>(
    lines: Option<&Lines>,
    answer: impl Future<Output = CallbackResult<T>>,
    outcome: impl FnOnce(&T) -> Outcome,
) -> CallbackResult<T> {
    let running = lines.map(Lines::begin);
    let answer = answer.await;
    if let Some(running) = running {
        running.end(answer.as_ref().map_or(Outcome::Failed, outcome));
    }
    answer
}

#[async_trait]
impl Callbacks for Measured {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        measured(self.sign_in.as_ref(), self.inner.sign_in(input), |decision| match decision {
            SignInDecision::Allow => Outcome::Allow,
            SignInDecision::Deny(_) => Outcome::Deny,
            SignInDecision::Redirect(_) => Outcome::Redirect,
        })
        .await
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        measured(self.jwt.as_ref(), self.inner.jwt(input), |decision| match decision {
            JwtDecision::Claims(_) => Outcome::Ok,
            JwtDecision::Deny(_) => Outcome::Deny,
        })
        .await
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        measured(self.session.as_ref(), self.inner.session(input), |_| Outcome::Ok).await
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        measured(self.redirect.as_ref(), self.inner.redirect(input), |_| Outcome::Ok).await
    }

    fn has(&self, callback: Callback) -> bool {
        self.inner.has(callback)
    }

    fn decides(&self, callback: Callback) -> bool {
        self.inner.decides(callback)
    }
}
