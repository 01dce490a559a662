//! A chain of callbacks, called in order. The first denial or redirect ends `sign_in`; the additions of `jwt` and
//! `session` are merged in order; each `redirect` receives the previous answer.

use std::borrow::Cow;

use async_trait::async_trait;

use crate::auth::{
    Answer, AnyCallbacks, Ask, CallbackResult, JwtDecision, JwtInput, PerCallback, Question, RedirectInput,
    SessionInput, SignInDecision, SignInInput,
};
use crate::model::{ClaimMap, claims};

/// A chain of callbacks: for each of the four the links that implement it, in order.
pub struct Chain(PerCallback<Vec<AnyCallbacks>>);

impl Chain {
    /// Chains callbacks in this order.
    #[must_use]
    pub fn of(links: &[AnyCallbacks]) -> AnyCallbacks {
        let implementing =
            PerCallback::of(|callback| links.iter().filter(|link| link.has(callback)).cloned().collect());
        AnyCallbacks::combined(links, Self(implementing))
    }

    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        for link in &self.0.sign_in {
            match link.sign_in(input).await? {
                SignInDecision::Allow => {}
                stop @ (SignInDecision::Deny(_) | SignInDecision::Redirect(_)) => return Ok(stop),
            }
        }
        Ok(SignInDecision::Allow)
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let mut added = Added::to(input.claims);
        for link in &self.0.jwt {
            match link.jwt(&JwtInput { claims: &added.so_far(), ..*input }).await? {
                JwtDecision::Claims(additions) => added.add(additions),
                deny @ JwtDecision::Deny(_) => return Ok(deny),
            }
        }
        Ok(JwtDecision::Claims(added.additions))
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let mut added = Added::to(input.claims);
        for link in &self.0.session {
            let additions = link.session(&SessionInput { claims: &added.so_far(), ..*input }).await?;
            added.add(additions);
        }
        Ok(added.additions)
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let mut answer: Option<String> = None;
        for link in &self.0.redirect {
            let url = answer.as_deref().unwrap_or(input.url);
            if let Some(next) = link.redirect(&RedirectInput { url, ..*input }).await? {
                answer = Some(next);
            }
        }
        Ok(answer)
    }
}

#[async_trait]
impl Ask for Chain {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        Ok(match question {
            Question::SignIn(input) => Answer::SignIn(self.sign_in(input).await?),
            Question::Jwt(input) => Answer::Jwt(self.jwt(input).await?),
            Question::Session(input) => Answer::Session(self.session(input).await?),
            Question::Redirect(input) => Answer::Redirect(self.redirect(input).await?),
        })
    }
}

/// The claims that links have added so far. With a single link nothing is copied.
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

    /// The claims that the next link sees.
    fn so_far(&self) -> Cow<'a, ClaimMap> {
        let mut so_far = Cow::Borrowed(self.claims);
        if !self.additions.is_empty() {
            claims::merge(so_far.to_mut(), self.additions.clone());
        }
        so_far
    }
}
