//! The names of the four callbacks.

use crate::auth::{CallbackFailure, FailureKind};

/// One of the four callbacks.
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
