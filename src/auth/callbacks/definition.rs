//! The trait that implements callbacks: a configuration's, a service's, or those of a program that links this crate.

use super::callback_set::CallbackSet;
use super::decisions::{JwtDecision, SignInDecision};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use crate::auth::CallbackFailure;
use crate::model::ClaimMap;

/// The answer of a callback, or the failure to give one.
pub type CallbackResult<T> = Result<T, CallbackFailure>;

/// An implementation of some of the four callbacks of Auth.js.
///
/// A method left out follows Auth.js' own rule: everyone may sign in, tokens and sessions get no additional claims, and
/// redirects stay as the built-in rule chose them. Write the methods as `async fn`.
///
/// Callbacks run before anything is spent and never inside a transaction. A callback that fails refuses the call with
/// UNAVAILABLE; it never lets anybody in.
pub trait Callbacks: Send + Sync + 'static {
    /// Lists the callbacks that are implemented here; the others are never called. It is read once, at start.
    ///
    /// If `jwt` is among them, a token with an outdated role is refused as `TOKEN_STALE`: the callback may have derived
    /// claims from the role.
    fn implemented(&self) -> CallbackSet;

    /// Decides if this person may sign in (Auth.js `signIn`).
    fn sign_in(
        &self,
        input: &SignInInput<'_>,
    ) -> impl Future<Output = CallbackResult<SignInDecision>> + Send {
        let _ = input;
        async { Ok(SignInDecision::Allow) }
    }

    /// Adds claims to an access token (Auth.js `jwt`); a null removes one. The claims are kept in the session and are part
    /// of the input at the next refresh.
    fn jwt(&self, input: &JwtInput<'_>) -> impl Future<Output = CallbackResult<JwtDecision>> + Send {
        let _ = input;
        async { Ok(JwtDecision::Claims(ClaimMap::new())) }
    }

    /// Adds claims to the answer of `GetSession` (Auth.js `session`); a null removes one. They are not stored.
    fn session(&self, input: &SessionInput<'_>) -> impl Future<Output = CallbackResult<ClaimMap>> + Send {
        let _ = input;
        async { Ok(ClaimMap::new()) }
    }

    /// Chooses another URL for a redirect (Auth.js `redirect`). The answer passes the same rule as the input.
    fn redirect(
        &self,
        input: &RedirectInput<'_>,
    ) -> impl Future<Output = CallbackResult<Option<String>>> + Send {
        let _ = input;
        async { Ok(None) }
    }
}
