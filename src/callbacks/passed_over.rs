//! Callbacks whose failure may be passed over, as if they had nothing to say: `session` and `redirect` only, for the
//! other two decide who gets in.

use std::sync::Arc;

use async_trait::async_trait;

use crate::auth::{
    Callback, CallbackFailure, CallbackResult, Callbacks, FailureKind, JwtDecision, JwtInput, RedirectInput,
    SessionInput, SignInDecision, SignInInput,
};
use crate::model::ClaimMap;

/// Passes over failures of callbacks.
pub struct PassedOver {
    inner: Arc<dyn Callbacks>,
    session: bool,
    redirect: bool,
}

impl PassedOver {
    /// Around `inner`; over those of these two that are true.
    #[must_use]
    pub fn new(inner: Arc<dyn Callbacks>, session: bool, redirect: bool) -> Self {
        Self { inner, session, redirect }
    }
}

fn pass_over<T: Default>(failure: &CallbackFailure) -> T {
    let CallbackFailure { callback, cause, kind } = failure;
    // That it is not asked is said once, when that begins.
    if *kind == FailureKind::NotAsked {
        tracing::debug!(callback, cause, "callback failed, passed over");
    } else {
        tracing::warn!(callback, cause, "callback failed, passed over");
    }
    T::default()
}

#[async_trait]
impl Callbacks for PassedOver {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.inner.sign_in(input).await
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.inner.jwt(input).await
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let answer = self.inner.session(input).await;
        if self.session { answer.or_else(|failure| Ok(pass_over(&failure))) } else { answer }
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let answer = self.inner.redirect(input).await;
        if self.redirect { answer.or_else(|failure| Ok(pass_over(&failure))) } else { answer }
    }

    fn has(&self, callback: Callback) -> bool {
        self.inner.has(callback)
    }

    fn decides(&self, callback: Callback) -> bool {
        self.inner.decides(callback)
    }
}
