//! Calls the callbacks, and validates their answers as untrusted input. The use cases call these functions, and so do
//! the cases that operators test their policy with.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::time::timeout_at;

use super::any::AnyCallbacks;
use super::callback::Callback;
use super::claim_rules::ClaimRules;
use super::decisions::{JwtDecision, SignInDecision};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use crate::auth::call_context::CallContext;
use crate::auth::error::{Error, FailureKind, Result};
use crate::auth::session::view::SessionView;
use crate::model::{Base, BaseUrls, ClaimMap, Disposition, RedirectUrl, claims, resolve_redirect};

/// The maximum size of the claims that a session stores, in bytes.
const MAX_SESSION_CLAIMS: usize = 8 * 1024;

/// Calls the callbacks and validates their answers.
#[derive(Clone)]
pub struct Invoke {
    /// The chain of callbacks.
    pub callbacks: AnyCallbacks,
    /// The origins that redirects may go to.
    pub base_urls: Arc<BaseUrls>,
    /// The declared types of claims.
    pub claims: ClaimRules,
}

impl Invoke {
    /// Decides whether a person may sign in. A sign-in continues after its caller disconnects, but no callback is
    /// waited for beyond the deadline of the call.
    pub async fn sign_in(&self, input: &SignInInput<'_>) -> Result<SignInDecision> {
        if !self.callbacks.has(Callback::SignIn) {
            return Ok(SignInDecision::Allow);
        }
        let decision = in_time(Callback::SignIn, async { Ok(self.callbacks.sign_in(input).await?) }).await?;
        // Auth.js denies on an empty URL; the redirect rule would read it as the front page.
        if matches!(&decision, SignInDecision::Redirect(url) if url.is_empty()) {
            return Err(Callback::SignIn.failed("must not return an empty URL").into());
        }
        Ok(decision)
    }

    /// Lets the `jwt` callbacks change the claims of the input, and returns all claims. Stored claims that are no longer
    /// as declared are left out first.
    pub async fn jwt(&self, input: &JwtInput<'_>) -> Result<ClaimMap> {
        let before = self.claims.fitting(input.claims);
        let mut after = before.clone().into_owned();
        if self.callbacks.has(Callback::Jwt) {
            match self.callbacks.jwt(&JwtInput { claims: &before, ..*input }).await? {
                JwtDecision::Claims(additions) => {
                    checked(Callback::Jwt, &additions)?;
                    claims::merge(&mut after, additions);
                }
                JwtDecision::Deny(detail) => return Err(Error::CallbackDenied(detail)),
            }
        }
        self.claims.check_all(&after)?;
        let fits = claims::check_size(&after, MAX_SESSION_CLAIMS);
        fits.map_err(|_| Error::ClaimsTooLarge(MAX_SESSION_CLAIMS)).map(|()| after)
    }

    /// Lets the `session` callbacks add claims to a session. Claims that are no longer as declared are left out first.
    pub async fn session(&self, session: &mut SessionView) -> Result<()> {
        if let Cow::Owned(fitting) = self.claims.fitting(&session.claims) {
            session.claims = Arc::new(fitting);
        }
        if !self.callbacks.has(Callback::Session) {
            return Ok(());
        }
        let input = SessionInput { session, claims: &session.claims };
        let additions = self.callbacks.session(&input).await?;
        checked(Callback::Session, &additions)?;
        self.claims.check_additions(Callback::Session, &additions)?;
        if !additions.is_empty() {
            claims::merge(Arc::make_mut(&mut session.claims), additions);
        }
        Ok(())
    }

    /// Decides where a person who requests `url` from this base is sent. The rule decides first, then the callbacks,
    /// whose answer must pass the rule again.
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

    /// Decides the redirect of a sign-in, from the default base and before the deadline of the call.
    pub async fn redirect_of_sign_in(&self, url: &str) -> Result<RedirectUrl> {
        let decided = self.redirect(self.base_urls.default_base(), url);
        Ok(in_time(Callback::Redirect, decided).await?.0)
    }
}

/// Waits for the answer of a callback until the deadline of the call.
async fn in_time<T>(callback: Callback, answer: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(due) = CallContext::current().and_then(|call| call.due) else { return answer.await };
    match timeout_at(due, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(callback.failed_as(FailureKind::CutShort, "no response within the call's deadline").into())
        }
    }
}

fn checked(callback: Callback, additions: &ClaimMap) -> Result<()> {
    claims::check_additions(additions).map_err(|fault| callback.failed(fault.to_string()).into())
}
