//! Asking the callbacks. What they answer is checked like any hostile input before it counts. The use cases ask by these,
//! and so do the cases by which operators test their policy.

use std::sync::Arc;

use tokio::time::timeout_at;

use super::call_context::CallContext;
use super::callbacks::{Callback, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput};
use super::callbacks::{SignInDecision, SignInInput};
use super::error::{Error, FailureKind, Result};
use super::session::SessionView;
use crate::model::{Base, BaseUrls, ClaimMap, Disposition, RedirectUrl, claims, resolve_redirect};

/// The most bytes of claims that a session keeps.
const MAX_SESSION_CLAIMS: usize = 8 * 1024;

/// Whether a person may sign in. A sign-in goes on when nobody waits for it any more, but for no callback longer than the call
/// had time.
pub async fn sign_in(callbacks: &dyn Callbacks, input: &SignInInput<'_>) -> Result<SignInDecision> {
    if !callbacks.has(Callback::SignIn) {
        return Ok(SignInDecision::Allow);
    }
    let decision = in_time(Callback::SignIn, async { Ok(callbacks.sign_in(input).await?) }).await?;
    // At no place Auth.js denies; the rule for redirects would read it as the front page.
    if matches!(&decision, SignInDecision::Redirect(url) if url.is_empty()) {
        return Err(Callback::SignIn.failed("must not answer an empty URL").into());
    }
    Ok(decision)
}

/// What a callback answers before the call that it is asked for is due.
pub(super) async fn in_time<T>(callback: Callback, answer: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(due) = CallContext::current().and_then(|call| call.due) else { return answer.await };
    match timeout_at(due, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(callback.failed_as(FailureKind::CutShort, "no answer in the time that the call had").into())
        }
    }
}

/// What becomes of the claims that the input has.
pub async fn jwt(callbacks: &dyn Callbacks, input: &JwtInput<'_>) -> Result<ClaimMap> {
    let mut after = input.claims.clone();
    if callbacks.has(Callback::Jwt) {
        match callbacks.jwt(input).await? {
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

/// Lets `session` callbacks add to what a session says.
pub async fn session(callbacks: &dyn Callbacks, session: &mut SessionView) -> Result<()> {
    if !callbacks.has(Callback::Session) {
        return Ok(());
    }
    let input = SessionInput { session, claims: &session.claims };
    let additions = callbacks.session(&input).await?;
    checked(Callback::Session, &additions)?;
    if !additions.is_empty() {
        claims::merge(Arc::make_mut(&mut session.claims), additions);
    }
    Ok(())
}

/// Where a person is sent who wants to go to `url` from this base: as the rule has it, then as the callbacks have it, if
/// the rule lets that pass.
pub async fn redirect(
    callbacks: &dyn Callbacks,
    bases: &BaseUrls,
    base: &Base,
    url: &str,
) -> Result<(RedirectUrl, Disposition)> {
    let resolved = resolve_redirect(bases, base, url);
    if !callbacks.has(Callback::Redirect) {
        return Ok(resolved);
    }
    let input = RedirectInput { url: resolved.0.as_str(), base_url: base.as_str() };
    match callbacks.redirect(&input).await? {
        None => Ok(resolved),
        // Who agrees has found nothing of its own: how the place was found stays as it was.
        Some(answer) if answer == resolved.0.as_str() => Ok(resolved),
        Some(answer) => Ok(resolve_redirect(bases, base, &answer)),
    }
}

fn checked(callback: Callback, additions: &ClaimMap) -> Result<()> {
    claims::check_additions(additions).map_err(|fault| callback.failed(fault.to_string()).into())
}
