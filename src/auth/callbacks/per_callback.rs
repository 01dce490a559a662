//! A value for each of the four callbacks.

use super::callback::Callback;

/// A value for each of the four callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerCallback<T> {
    /// The value for `sign_in`.
    pub sign_in: T,
    /// The value for `jwt`.
    pub jwt: T,
    /// The value for `session`.
    pub session: T,
    /// The value for `redirect`.
    pub redirect: T,
}

impl<T> PerCallback<T> {
    /// Makes a value for each callback.
    pub fn of(mut make: impl FnMut(Callback) -> T) -> Self {
        Self {
            sign_in: make(Callback::SignIn),
            jwt: make(Callback::Jwt),
            session: make(Callback::Session),
            redirect: make(Callback::Redirect),
        }
    }

    /// The value for this callback.
    #[must_use]
    pub fn get(&self, callback: Callback) -> &T {
        match callback {
            Callback::SignIn => &self.sign_in,
            Callback::Jwt => &self.jwt,
            Callback::Session => &self.session,
            Callback::Redirect => &self.redirect,
        }
    }
}
