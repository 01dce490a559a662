//! The trait that implements callbacks: those of the configuration, of a service, or of a program that links this
//! crate.

use super::callback_set::CallbackSet;
use super::decisions::{JwtDecision, SignInDecision};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use crate::auth::CallbackFailure;
use crate::model::ClaimMap;

/// The answer of a callback, or its failure.
pub type CallbackResult<T> = Result<T, CallbackFailure>;

/// An implementation of some of the four callbacks of Auth.js.
///
/// A method that is left out follows the default of Auth.js. Everyone may sign in, tokens and sessions get no
/// additional claims, and redirects keep the URL of the built-in rule. Write the methods as `async fn`.
///
/// Callbacks run before anything is used up and never inside a transaction. If a callback fails, the call is rejected
/// with UNAVAILABLE; a failure never lets anyone sign in.
pub trait Callbacks: Send + Sync + 'static {
    /// Lists the callbacks that are implemented here; the others are never called. The list is read once, at start.
    ///
    /// If `jwt` is in it, a token with an outdated role is rejected as `TOKEN_STALE`: the callback may have derived
    /// claims from the role.
    fn implemented(&self) -> CallbackSet;

    /// Decides whether this person may sign in (Auth.js `signIn`).
    fn sign_in(
        &self,
        input: &SignInInput<'_>,
    ) -> impl Future<Output = CallbackResult<SignInDecision>> + Send {
        let _ = input;
        async { Ok(SignInDecision::Allow) }
    }

    /// Adds claims to an access token (Auth.js `jwt`); a null removes a claim. The claims are stored in the session and
    /// are part of the input at the next refresh.
    fn jwt(&self, input: &JwtInput<'_>) -> impl Future<Output = CallbackResult<JwtDecision>> + Send {
        let _ = input;
        async { Ok(JwtDecision::Claims(ClaimMap::new())) }
    }

    /// Adds claims to the response of `GetSession` (Auth.js `session`); a null removes a claim. These claims are not
    /// stored.
    fn session(&self, input: &SessionInput<'_>) -> impl Future<Output = CallbackResult<ClaimMap>> + Send {
        let _ = input;
        async { Ok(ClaimMap::new()) }
    }

    /// Chooses another URL for a redirect (Auth.js `redirect`). The answer must pass the same rule as the input.
    fn redirect(
        &self,
        input: &RedirectInput<'_>,
    ) -> impl Future<Output = CallbackResult<Option<String>>> + Send {
        let _ = input;
        async { Ok(None) }
    }
}
