//! The one question type that all callbacks are called with, and its answer. Every decorator implements [`Ask`], and so
//! has one method to forward.

use async_trait::async_trait;

use super::callback::Callback;
use super::decisions::{JwtDecision, SignInDecision};
use super::definition::CallbackResult;
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use crate::auth::CallbackFailure;
use crate::model::ClaimMap;

/// A question to one of the four callbacks.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// A question to `sign_in`.
    SignIn(&'a SignInInput<'a>),
    /// A question to `jwt`.
    Jwt(&'a JwtInput<'a>),
    /// A question to `session`.
    Session(&'a SessionInput<'a>),
    /// A question to `redirect`.
    Redirect(&'a RedirectInput<'a>),
}

/// The answer of one of the four callbacks.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The answer of `sign_in`.
    SignIn(SignInDecision),
    /// The answer of `jwt`.
    Jwt(JwtDecision),
    /// The answer of `session`: claims to add.
    Session(ClaimMap),
    /// The answer of `redirect`: another URL, if there is one.
    Redirect(Option<String>),
}

/// A component that answers questions to callbacks: an implementation, or a decorator around one.
#[async_trait]
pub trait Ask: Send + Sync + 'static {
    /// Calls the callback that the question is for. The answer is of the same callback.
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer>;
}

impl Question<'_> {
    /// The callback that the question is for.
    #[must_use]
    pub const fn callback(self) -> Callback {
        match self {
            Self::SignIn(_) => Callback::SignIn,
            Self::Jwt(_) => Callback::Jwt,
            Self::Session(_) => Callback::Session,
            Self::Redirect(_) => Callback::Redirect,
        }
    }

    /// Returns the default answer of Auth.js, as if the callback were not implemented.
    #[must_use]
    pub fn answer_by_default(self) -> Answer {
        match self {
            Self::SignIn(_) => Answer::SignIn(SignInDecision::Allow),
            Self::Jwt(_) => Answer::Jwt(JwtDecision::Claims(ClaimMap::new())),
            Self::Session(_) => Answer::Session(ClaimMap::new()),
            Self::Redirect(_) => Answer::Redirect(None),
        }
    }
}

impl Answer {
    /// Returns the answer of `sign_in`; an answer of another callback is a failure.
    pub fn sign_in(self) -> CallbackResult<SignInDecision> {
        match self {
            Self::SignIn(decision) => Ok(decision),
            Self::Jwt(_) | Self::Session(_) | Self::Redirect(_) => Err(misdirected(Callback::SignIn)),
        }
    }

    /// Returns the answer of `jwt`; an answer of another callback is a failure.
    pub fn jwt(self) -> CallbackResult<JwtDecision> {
        match self {
            Self::Jwt(decision) => Ok(decision),
            Self::SignIn(_) | Self::Session(_) | Self::Redirect(_) => Err(misdirected(Callback::Jwt)),
        }
    }

    /// Returns the answer of `session`; an answer of another callback is a failure.
    pub fn session(self) -> CallbackResult<ClaimMap> {
        match self {
            Self::Session(additions) => Ok(additions),
            Self::SignIn(_) | Self::Jwt(_) | Self::Redirect(_) => Err(misdirected(Callback::Session)),
        }
    }

    /// Returns the answer of `redirect`; an answer of another callback is a failure.
    pub fn redirect(self) -> CallbackResult<Option<String>> {
        match self {
            Self::Redirect(url) => Ok(url),
            Self::SignIn(_) | Self::Jwt(_) | Self::Session(_) => Err(misdirected(Callback::Redirect)),
        }
    }
}

fn misdirected(asked: Callback) -> CallbackFailure {
    asked.failed("the response belongs to another callback; this is a bug")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_of_another_callback_is_a_failure() {
        let url = RedirectInput { url: "/", base_url: "/" };
        let answer = Question::Redirect(&url).answer_by_default();
        assert_eq!(answer.clone().redirect(), Ok(None));
        assert_eq!(answer.clone().sign_in().unwrap_err().callback, "sign_in");
        assert_eq!(answer.clone().jwt().unwrap_err().callback, "jwt");
        assert_eq!(answer.session().unwrap_err().callback, "session");
        Answer::SignIn(SignInDecision::Allow).redirect().unwrap_err();
    }
}
