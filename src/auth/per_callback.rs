//! One of something for each callback.

use super::callbacks::Callback;

/// One of something for each callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerCallback<T> {
    /// That of `sign_in`.
    pub sign_in: T,
    /// That of `jwt`.
    pub jwt: T,
    /// That of `session`.
    pub session: T,
    /// That of `redirect`.
    pub redirect: T,
}

impl<T> PerCallback<T> {
    /// Makes one for each.
    pub fn of(mut make: impl FnMut(Callback) -> T) -> Self {
        Self {
            sign_in: make(Callback::SignIn),
            jwt: make(Callback::Jwt),
            session: make(Callback::Session),
            redirect: make(Callback::Redirect),
        }
    }

    /// That of this callback.
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
