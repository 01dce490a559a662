//! One after the other: the first denial or redirect ends `sign_in`; what `jwt` and `session` add is merged in
//! order; each `redirect` is asked about the answer before it.

use std::borrow::Cow;
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

/// What links added to claims that none of them may change. Where one link is all, nothing is copied.
struct Added<'a> {
    claims: &'a ClaimMap,
    additions: ClaimMap,
}

impl<'a> Added<'a> {
    fn to(claims: &'a ClaimMap) -> Self {
        Self { claims, additions: ClaimMap::new() }
    }

    fn add(&mut self, additions: ClaimMap) {
        if self.additions.is_empty() {
            self.additions = additions;
        } else {
            self.additions.extend(additions);
        }
    }

    /// What the next link sees.
    fn so_far(&self) -> Cow<'a, ClaimMap> {
        let mut so_far = Cow::Borrowed(self.claims);
        if !self.additions.is_empty() {
            claims::merge(so_far.to_mut(), self.additions.clone());
        }
        so_far
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
        let mut added = Added::to(input.claims);
        for link in self.with(Callback::Jwt) {
            match link.jwt(&JwtInput { claims: &added.so_far(), ..*input }).await? {
                JwtDecision::Claims(additions) => added.add(additions),
                deny @ JwtDecision::Deny(_) => return Ok(deny),
            }
        }
        Ok(JwtDecision::Claims(added.additions))
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let mut added = Added::to(input.claims);
        for link in self.with(Callback::Session) {
            let additions = link.session(&SessionInput { claims: &added.so_far(), ..*input }).await?;
            added.add(additions);
        }
        Ok(added.additions)
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
