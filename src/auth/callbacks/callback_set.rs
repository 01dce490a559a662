//! Sets of callbacks.

use super::callback::Callback;
use super::per_callback::PerCallback;

/// Some of the four callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallbackSet(PerCallback<bool>);

impl CallbackSet {
    /// No callback.
    pub const NONE: Self = Self(PerCallback { sign_in: false, jwt: false, session: false, redirect: false });

    /// All four callbacks.
    pub const ALL: Self = Self(PerCallback { sign_in: true, jwt: true, session: true, redirect: true });

    /// Returns the callbacks that satisfy a condition.
    pub fn of(condition: impl FnMut(Callback) -> bool) -> Self {
        Self(PerCallback::of(condition))
    }

    /// Returns true if the set contains this callback.
    #[must_use]
    pub fn contains(self, callback: Callback) -> bool {
        *self.0.get(callback)
    }
}

impl<const N: usize> From<[Callback; N]> for CallbackSet {
    fn from(callbacks: [Callback; N]) -> Self {
        Self::of(|callback| callbacks.contains(&callback))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_callbacks_that_it_is_made_of() {
        let set = CallbackSet::from([Callback::Jwt, Callback::Redirect]);
        assert_eq!(Callback::ALL.map(|callback| set.contains(callback)), [false, true, false, true]);
        assert_eq!(
            (CallbackSet::from([]), CallbackSet::from(Callback::ALL)),
            (CallbackSet::NONE, CallbackSet::ALL)
        );
    }
}
