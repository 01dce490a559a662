//! The four callbacks of Auth.js as a trait. A method left out keeps Auth.js' own rule: everybody may sign in,
//! tokens and sessions say nothing more, redirects stay as the built-in rule has them.
//!
//! Callbacks run before anything is spent and never inside a transaction. One that fails refuses the call with
//! UNAVAILABLE; it never lets anybody in.

use async_trait::async_trait;

use super::error::{CallbackFailure, FailureKind};
use super::session::SessionView;
pub use crate::model::DenialReason;
use crate::model::{Account, ClaimMap, Origin, SessionId, User};

/// What a callback answers, or why it can't.
pub type CallbackResult<T> = Result<T, CallbackFailure>;

/// The four callbacks.
#[async_trait]
pub trait Callbacks: Send + Sync + 'static {
    /// Whether this person may sign in (Auth.js `signIn`).
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        let _ = input;
        Ok(SignInDecision::Allow)
    }

    /// What the access token shall say besides (Auth.js `jwt`); a null removes a claim. Kept in the session and
    /// given back at the next refresh.
    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let _ = input;
        Ok(JwtDecision::Claims(ClaimMap::new()))
    }

    /// What `GetSession` shall say besides (Auth.js `session`); a null removes a claim. Kept nowhere.
    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let _ = input;
        Ok(ClaimMap::new())
    }

    /// Where a redirect shall go instead (Auth.js `redirect`). The answer passes the same rule as the question.
    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let _ = input;
        Ok(None)
    }

    /// Whether this callback is implemented here. One that is not is never called; where a `jwt` that
    /// [decides](Self::decides) is, a token that tells an old role is refused as `TOKEN_STALE`.
    fn has(&self, callback: Callback) -> bool {
        let _ = callback;
        true
    }

    /// Whether what this callback answers counts. One that is here only to be compared is called, and decides nothing.
    fn decides(&self, callback: Callback) -> bool {
        self.has(callback)
    }
}

/// Which callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// `sign_in`.
    SignIn,
    /// `jwt`.
    Jwt,
    /// `session`.
    Session,
    /// `redirect`.
    Redirect,
}

impl Callback {
    /// All four.
    pub const ALL: [Self; 4] = [Self::SignIn, Self::Jwt, Self::Session, Self::Redirect];

    /// Its name in logs and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Jwt => "jwt",
            Self::Session => "session",
            Self::Redirect => "redirect",
        }
    }

    /// A failure of this callback.
    #[must_use]
    pub fn failed(self, cause: impl Into<String>) -> CallbackFailure {
        self.failed_as(FailureKind::Failed, cause)
    }

    /// A failure of this callback, of this kind.
    #[must_use]
    pub fn failed_as(self, kind: FailureKind, cause: impl Into<String>) -> CallbackFailure {
        CallbackFailure { callback: self.name(), cause: cause.into(), kind }
    }
}

/// What `sign_in` is asked.
#[derive(Debug)]
pub struct SignInInput<'a> {
    /// The user as it will be: a new one is not written yet.
    pub user: &'a User,
    /// The account that proves it.
    pub account: &'a Account,
    /// What the provider said of the person.
    pub profile: &'a ClaimMap,
    /// Whether the user is new.
    pub is_new_user: bool,
    /// Whether the account is: its id, as a new user's, is another at the next try.
    pub is_new_account: bool,
    /// Caller, address and user agent.
    pub origin: &'a Origin,
}

/// What `sign_in` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInDecision {
    /// Go on.
    Allow,
    /// Stop, for this reason.
    Deny(Denial),
    /// Stop, and send the person there; passes the redirect rule.
    Redirect(String),
}

impl SignInDecision {
    /// A denial by a callback, with a word for the backend.
    #[must_use]
    pub fn deny(detail: &str) -> Self {
        Self::Deny(Denial { reason: DenialReason::CallbackDenied, detail: Some(detail.to_owned()) })
    }
}

/// Why somebody may not sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The reason, typed.
    pub reason: DenialReason,
    /// More, in words.
    pub detail: Option<String>,
}

crate::model::name_enum!(
    /// When `jwt` is called.
    Trigger {
        /// A known user's grant is redeemed.
        SignIn = "SIGN_IN",
        /// A new user's grant is redeemed.
        SignUp = "SIGN_UP",
        /// A session is refreshed.
        Update = "UPDATE",
    }
);

/// What `jwt` is asked.
#[derive(Debug)]
pub struct JwtInput<'a> {
    /// When.
    pub trigger: Trigger,
    /// The user, fresh from the database.
    pub user: &'a User,
    /// The account that signed in; at `SIGN_IN` and `SIGN_UP` only.
    pub account: Option<&'a Account>,
    /// What the provider said; at `SIGN_IN` and `SIGN_UP` only.
    pub profile: Option<&'a ClaimMap>,
    /// The session.
    pub session_id: SessionId,
    /// Caller, address and user agent of this call.
    pub origin: &'a Origin,
    /// What was added so far.
    pub claims: &'a ClaimMap,
    /// What the client asked to change, those names that `session.update_allow` lists; in `claims` already.
    pub update: &'a ClaimMap,
}

/// What `jwt` answers.
#[derive(Debug, Clone, PartialEq)]
pub enum JwtDecision {
    /// Claims to add; a null removes one.
    Claims(ClaimMap),
    /// No token.
    Deny(Option<String>),
}

/// What `session` is asked.
#[derive(Debug)]
pub struct SessionInput<'a> {
    /// The session as it would be answered.
    pub session: &'a SessionView,
    /// What was added so far, by `jwt` and by `session` callbacks before this one.
    pub claims: &'a ClaimMap,
}

/// What `redirect` is asked.
#[derive(Debug)]
pub struct RedirectInput<'a> {
    /// Where the built-in rule would send the person.
    pub url: &'a str,
    /// The base URL, an origin without a slash.
    pub base_url: &'a str,
}
