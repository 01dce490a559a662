//! The decisions of the callbacks `sign_in` and `jwt`.

use crate::model::{ClaimMap, DenialReason};

/// The answer of `sign_in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInDecision {
    /// The sign-in continues.
    Allow,
    /// The sign-in is denied, for this reason.
    Deny(Denial),
    /// The sign-in stops and the person is sent to this URL, which passes the redirect rule.
    Redirect(String),
}

impl SignInDecision {
    /// A denial by a callback, with a detail for the backend.
    #[must_use]
    pub fn deny(detail: &str) -> Self {
        Self::Deny(Denial { reason: DenialReason::CallbackDenied, detail: Some(detail.to_owned()) })
    }
}

/// The answer of `jwt`.
#[derive(Debug, Clone, PartialEq)]
pub enum JwtDecision {
    /// Claims to add; a null removes one.
    Claims(ClaimMap),
    /// No token is issued.
    Deny(Option<String>),
}

/// The reason why a sign-in is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The typed reason.
    pub reason: DenialReason,
    /// A detail in words.
    pub detail: Option<String>,
}
