//! Type-erased callbacks, and the decorators around them.

use std::sync::Arc;

use async_trait::async_trait;

use super::callback::Callback;
use super::callback_set::CallbackSet;
use super::decisions::{JwtDecision, SignInDecision};
use super::definition::{CallbackResult, Callbacks};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use super::question::{Answer, Ask, Question};
use crate::model::ClaimMap;

/// Callbacks of any implementation: which of the four are implemented, which of them decide, and a way to call them.
#[derive(Clone)]
pub struct AnyCallbacks {
    implemented: CallbackSet,
    deciding: CallbackSet,
    inner: Arc<dyn Ask>,
}

impl AnyCallbacks {
    /// Wraps an implementation; the callbacks that it implements decide.
    #[must_use]
    pub fn new(callbacks: impl Callbacks) -> Self {
        let implemented = callbacks.implemented();
        Self { implemented, deciding: implemented, inner: Arc::new(Implementation(callbacks)) }
    }

    /// Combines `parts`: a callback is implemented, or decides, if it does so in any part. `ask` answers the questions.
    #[must_use]
    pub fn combined(parts: &[Self], ask: impl Ask) -> Self {
        let any = |of: fn(&Self, Callback) -> bool| {
            CallbackSet::of(|callback| parts.iter().any(|part| of(part, callback)))
        };
        Self { implemented: any(Self::has), deciding: any(Self::decides), inner: Arc::new(ask) }
    }

    /// Wraps these callbacks in a decorator.
    #[must_use]
    pub fn decorated<D: Ask>(self, decorate: impl FnOnce(Arc<dyn Ask>) -> D) -> Self {
        Self { inner: Arc::new(decorate(self.inner)), ..self }
    }

    /// Returns the same callbacks; their answers decide nothing.
    #[must_use]
    pub fn deciding_nothing(self) -> Self {
        Self { deciding: CallbackSet::NONE, ..self }
    }

    /// The callbacks that are implemented.
    #[must_use]
    pub fn implemented(&self) -> CallbackSet {
        self.implemented
    }

    /// Returns true if this callback is implemented. A callback that is not implemented is never called.
    #[must_use]
    pub fn has(&self, callback: Callback) -> bool {
        self.implemented.contains(callback)
    }

    /// Returns true if the answer of this callback decides. A callback in shadow mode is called but decides nothing.
    #[must_use]
    pub fn decides(&self, callback: Callback) -> bool {
        self.deciding.contains(callback)
    }

    /// Calls `sign_in`.
    pub async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.inner.ask(Question::SignIn(input)).await?.sign_in()
    }

    /// Calls `jwt`.
    pub async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.inner.ask(Question::Jwt(input)).await?.jwt()
    }

    /// Calls `session`.
    pub async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.inner.ask(Question::Session(input)).await?.session()
    }

    /// Calls `redirect`.
    pub async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.inner.ask(Question::Redirect(input)).await?.redirect()
    }
}

/// Passes each question to the method of its callback.
struct Implementation<C>(C);

#[async_trait]
impl<C: Callbacks> Ask for Implementation<C> {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        Ok(match question {
            Question::SignIn(input) => Answer::SignIn(self.0.sign_in(input).await?),
            Question::Jwt(input) => Answer::Jwt(self.0.jwt(input).await?),
            Question::Session(input) => Answer::Session(self.0.session(input).await?),
            Question::Redirect(input) => Answer::Redirect(self.0.redirect(input).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Implements `redirect`, and returns the base URL.
    struct ToTheBase;

    impl Callbacks for ToTheBase {
        fn implemented(&self) -> CallbackSet {
            [Callback::Redirect].into()
        }

        async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
            Ok(Some(input.base_url.to_owned()))
        }
    }

    fn of_all_four(tell: impl Fn(Callback) -> bool) -> [bool; 4] {
        Callback::ALL.map(tell)
    }

    #[test]
    fn an_implementation_says_which_callbacks_it_has() {
        let callbacks = AnyCallbacks::new(ToTheBase);
        assert_eq!(of_all_four(|callback| callbacks.has(callback)), [false, false, false, true]);
        assert_eq!(of_all_four(|callback| callbacks.decides(callback)), [false, false, false, true]);
        let input = RedirectInput { url: "https://a.example/x", base_url: "https://a.example" };
        let answer = callbacks.redirect(&input).now_or_never().unwrap();
        assert_eq!(answer, Ok(Some("https://a.example".to_owned())));
    }

    #[test]
    fn callbacks_that_decide_nothing_are_implemented_all_the_same() {
        let tried = AnyCallbacks::new(ToTheBase).deciding_nothing();
        let both = AnyCallbacks::combined(std::slice::from_ref(&tried), Implementation(ToTheBase));
        for callbacks in [tried, both] {
            assert!(callbacks.has(Callback::Redirect) && !callbacks.decides(Callback::Redirect));
        }
    }
}
