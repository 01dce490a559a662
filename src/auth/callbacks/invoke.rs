//! Asks the callbacks, and checks their answers like any hostile input. The use cases ask by these functions, and so do the
//! cases by which operators test their policy.

use std::sync::Arc;

use tokio::time::timeout_at;

use super::any::AnyCallbacks;
use super::callback::Callback;
use super::decisions::{JwtDecision, SignInDecision};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use crate::auth::{CallContext, Error, FailureKind, Result, SessionView};
use crate::model::{Base, BaseUrls, ClaimMap, Disposition, RedirectUrl, claims, resolve_redirect};

/// The most bytes of claims that a session keeps.
const MAX_SESSION_CLAIMS: usize = 8 * 1024;

/// Asks if a person may sign in. A sign-in goes on after its caller is gone, but waits for no callback longer than the call
/// had time.
pub async fn sign_in(callbacks: &AnyCallbacks, input: &SignInInput<'_>) -> Result<SignInDecision> {
    if !callbacks.has(Callback::SignIn) {
        return Ok(SignInDecision::Allow);
    }
    let decision = in_time(Callback::SignIn, async { Ok(callbacks.sign_in(input).await?) }).await?;
    // Auth.js denies on an empty URL; the redirect rule would read it as the front page.
    if matches!(&decision, SignInDecision::Redirect(url) if url.is_empty()) {
        return Err(Callback::SignIn.failed("must not answer an empty URL").into());
    }
    Ok(decision)
}

/// Waits for a callback's answer until the call that asks is due.
pub(in crate::auth) async fn in_time<T>(
    callback: Callback,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(due) = CallContext::current().and_then(|call| call.due) else { return answer.await };
    match timeout_at(due, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(callback.failed_as(FailureKind::CutShort, "no answer in the time that the call had").into())
        }
    }
}

/// Lets `jwt` callbacks change the claims of the input, and returns all of them.
pub async fn jwt(callbacks: &AnyCallbacks, input: &JwtInput<'_>) -> Result<ClaimMap> {
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

/// Lets `session` callbacks add claims to a session.
pub async fn session(callbacks: &AnyCallbacks, session: &mut SessionView) -> Result<()> {
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

/// Decides where a person is sent who wants to go to `url` from this base: by the rule, then by the callbacks, whose answer
/// passes the rule again.
pub async fn redirect(
    callbacks: &AnyCallbacks,
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
        // A callback that agrees changes nothing: the disposition stays as it was.
        Some(answer) if answer == resolved.0.as_str() => Ok(resolved),
        Some(answer) => Ok(resolve_redirect(bases, base, &answer)),
    }
}

fn checked(callback: Callback, additions: &ClaimMap) -> Result<()> {
    claims::check_additions(additions).map_err(|fault| callback.failed(fault.to_string()).into())
}
