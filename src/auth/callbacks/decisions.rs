//! The decisions of the callbacks `sign_in` and `jwt`.

use crate::model::ClaimMap;

/// The answer of `sign_in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInDecision {
    /// The sign-in goes on.
    Allow,
    /// The sign-in is denied, for this reason.
    Deny(Denial),
    /// The sign-in stops and the person is sent there; the URL passes the redirect rule.
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

crate::model::name_enum!(
    /// The reasons of a denial, as the proto enum names them.
    DenialReason {
        /// A rule without a reason of its own.
        AccessDenied = "ACCESS_DENIED",
        /// The user is banned.
        UserBanned = "USER_BANNED",
        /// The e-mail's domain is not an allowed one.
        EmailNotAllowed = "EMAIL_NOT_ALLOWED",
        /// The provider did not verify the e-mail.
        EmailNotVerified = "EMAIL_NOT_VERIFIED",
        /// Sign-up is closed: new users are refused.
        SignUpClosed = "SIGN_UP_CLOSED",
        /// The e-mail belongs to a user who signs in another way.
        AccountNotLinked = "ACCOUNT_NOT_LINKED",
        /// The account to be linked belongs to another user.
        AccountOwnedByOther = "ACCOUNT_OWNED_BY_OTHER",
        /// The provider answered with an error.
        ProviderError = "PROVIDER_ERROR",
        /// A callback denied the sign-in.
        CallbackDenied = "CALLBACK_DENIED",
    }
);
