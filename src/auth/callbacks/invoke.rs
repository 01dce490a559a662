//! Asks the callbacks, and checks their answers like any hostile input. The use cases ask by these functions, and so do the
//! cases by which operators test their policy.

use std::sync::Arc;

use tokio::time::timeout_at;

use super::any::AnyCallbacks;
use super::callback::Callback;
use super::decisions::{JwtDecision, SignInDecision};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use crate::auth::call_context::CallContext;
use crate::auth::error::{Error, FailureKind, Result};
use crate::auth::session::view::SessionView;
use crate::model::{Base, BaseUrls, ClaimMap, Disposition, RedirectUrl, claims, resolve_redirect};

/// The most bytes of claims that a session keeps.
const MAX_SESSION_CLAIMS: usize = 8 * 1024;

/// Asks the callbacks and checks their answers.
#[derive(Clone)]
pub struct Invoke {
    /// The chain of callbacks.
    pub callbacks: AnyCallbacks,
    /// The origins that may be redirected to.
    pub base_urls: Arc<BaseUrls>,
}

impl Invoke {
    /// Asks if a person may sign in. A sign-in goes on after its caller is gone, but waits for no callback longer than the
    /// call had time.
    pub async fn sign_in(&self, input: &SignInInput<'_>) -> Result<SignInDecision> {
        if !self.callbacks.has(Callback::SignIn) {
            return Ok(SignInDecision::Allow);
        }
        let decision = in_time(Callback::SignIn, async { Ok(self.callbacks.sign_in(input).await?) }).await?;
        // Auth.js denies on an empty URL; the redirect rule would read it as the front page.
        if matches!(&decision, SignInDecision::Redirect(url) if url.is_empty()) {
            return Err(Callback::SignIn.failed("must not answer an empty URL").into());
        }
        Ok(decision)
    }

    /// Lets `jwt` callbacks change the claims of the input, and returns all of them.
    pub async fn jwt(&self, input: &JwtInput<'_>) -> Result<ClaimMap> {
        let mut after = input.claims.clone();
        if self.callbacks.has(Callback::Jwt) {
            match self.callbacks.jwt(input).await? {
                JwtDecision::Claims(additions) => {
                    checked(Callback::Jwt, &additions)?;
                    claims::merge(&mut after, additions);
                }
                JwtDecision::Deny(detail) => return Err(Error::CallbackDenied(detail)),
            }
        }
        let fits = claims::check_size(&after, MAX_SESSION_CLAIMS);
        fits.map_err(|_| Error::ClaimsTooLarge(MAX_SESSION_CLAIMS)).map(|()| after)
    }

    /// Lets `session` callbacks add claims to a session.
    pub async fn session(&self, session: &mut SessionView) -> Result<()> {
        if !self.callbacks.has(Callback::Session) {
            return Ok(());
        }
        let input = SessionInput { session, claims: &session.claims };
        let additions = self.callbacks.session(&input).await?;
        checked(Callback::Session, &additions)?;
        if !additions.is_empty() {
            claims::merge(Arc::make_mut(&mut session.claims), additions);
        }
        Ok(())
    }

    /// Decides where a person is sent who wants to go to `url` from this base: by the rule, then by the callbacks, whose
    /// answer passes the rule again.
    pub async fn redirect(&self, base: &Base, url: &str) -> Result<(RedirectUrl, Disposition)> {
        let resolved = resolve_redirect(&self.base_urls, base, url);
        if !self.callbacks.has(Callback::Redirect) {
            return Ok(resolved);
        }
        let input = RedirectInput { url: resolved.0.as_str(), base_url: base.as_str() };
        match self.callbacks.redirect(&input).await? {
            None => Ok(resolved),
            // A callback that agrees changes nothing: the disposition stays as it was.
            Some(answer) if answer == resolved.0.as_str() => Ok(resolved),
            Some(answer) => Ok(resolve_redirect(&self.base_urls, base, &answer)),
        }
    }

    /// Decides a redirect of a sign-in: from the default base, within the time of the call.
    pub async fn redirect_of_sign_in(&self, url: &str) -> Result<RedirectUrl> {
        let decided = self.redirect(self.base_urls.default_base(), url);
        Ok(in_time(Callback::Redirect, decided).await?.0)
    }
}

/// Waits for a callback's answer until the call that asks is due.
async fn in_time<T>(callback: Callback, answer: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(due) = CallContext::current().and_then(|call| call.due) else { return answer.await };
    match timeout_at(due, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(callback.failed_as(FailureKind::CutShort, "no answer in the time that the call had").into())
        }
    }
}

fn checked(callback: Callback, additions: &ClaimMap) -> Result<()> {
    claims::check_additions(additions).map_err(|fault| callback.failed(fault.to_string()).into())
}
