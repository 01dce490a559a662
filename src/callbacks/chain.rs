//! One after the other: the first denial or redirect ends `sign_in`; what `jwt` and `session` add is merged in
//! order; each `redirect` is asked about the answer before it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::auth::{
    Callback, CallbackResult, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput, SignInDecision,
    SignInInput,
};
use crate::model::{ClaimMap, claims};

/// Callbacks, in order.
pub struct Chain(Vec<Arc<dyn Callbacks>>);

impl Chain {
    /// A chain of these.
    #[must_use]
    pub fn new(links: Vec<Arc<dyn Callbacks>>) -> Self {
        Self(links)
    }

    fn with(&self, callback: Callback) -> impl Iterator<Item = &Arc<dyn Callbacks>> {
        self.0.iter().filter(move |link| link.has(callback))
    }
}

#[async_trait]
impl Callbacks for Chain {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        for link in self.with(Callback::SignIn) {
            match link.sign_in(input).await? {
                SignInDecision::Allow => {}
                stop @ (SignInDecision::Deny(_) | SignInDecision::Redirect(_)) => return Ok(stop),
            }
        }
        Ok(SignInDecision::Allow)
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let mut so_far = input.claims.clone();
        let mut all = ClaimMap::new();
        for link in self.with(Callback::Jwt) {
            let input = JwtInput { claims: &so_far, ..*input };
            match link.jwt(&input).await? {
                JwtDecision::Claims(additions) => {
                    claims::merge(&mut so_far, additions.clone());
                    all.extend(additions);
                }
                deny @ JwtDecision::Deny(_) => return Ok(deny),
            }
        }
        Ok(JwtDecision::Claims(all))
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let mut so_far = input.claims.clone();
        let mut all = ClaimMap::new();
        for link in self.with(Callback::Session) {
            let additions = link.session(&SessionInput { claims: &so_far, ..*input }).await?;
            claims::merge(&mut so_far, additions.clone());
            all.extend(additions);
        }
        Ok(all)
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let mut answer: Option<String> = None;
        for link in self.with(Callback::Redirect) {
            let url = answer.as_deref().unwrap_or(input.url);
            if let Some(next) = link.redirect(&RedirectInput { url, ..*input }).await? {
                answer = Some(next);
            }
        }
        Ok(answer)
    }

    fn has(&self, callback: Callback) -> bool {
        self.with(callback).next().is_some()
    }

    fn decides(&self, callback: Callback) -> bool {
        self.0.iter().any(|link| link.decides(callback))
    }
}
