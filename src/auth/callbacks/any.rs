//! Callbacks whose implementation is no longer a matter of types, with the decorators around it.

use std::sync::Arc;

use async_trait::async_trait;

use super::callback::Callback;
use super::callback_set::CallbackSet;
use super::decisions::{JwtDecision, SignInDecision};
use super::definition::{CallbackResult, Callbacks};
use super::inputs::{JwtInput, RedirectInput, SessionInput, SignInInput};
use super::question::{Answer, Ask, Question};
use crate::model::ClaimMap;

/// Callbacks of any implementation: which of the four there are, which of them decide, and a way to ask them.
#[derive(Clone)]
pub struct AnyCallbacks {
    implemented: CallbackSet,
    deciding: CallbackSet,
    inner: Arc<dyn Ask>,
}

impl AnyCallbacks {
    /// The callbacks of this implementation; those that it implements decide.
    #[must_use]
    pub fn new(callbacks: impl Callbacks) -> Self {
        let implemented = callbacks.implemented();
        Self { implemented, deciding: implemented, inner: Arc::new(Implementation(callbacks)) }
    }

    /// The callbacks that any of `parts` implements, or decides, asked as `ask` does.
    #[must_use]
    pub fn combined(parts: &[Self], ask: impl Ask) -> Self {
        let any = |of: fn(&Self, Callback) -> bool| {
            CallbackSet::of(|callback| parts.iter().any(|part| of(part, callback)))
        };
        Self { implemented: any(Self::has), deciding: any(Self::decides), inner: Arc::new(ask) }
    }

    /// The same callbacks, with a decorator around them.
    #[must_use]
    pub fn decorated<D: Ask>(self, decorate: impl FnOnce(Arc<dyn Ask>) -> D) -> Self {
        Self { inner: Arc::new(decorate(self.inner)), ..self }
    }

    /// The same callbacks, whose answers decide nothing.
    #[must_use]
    pub fn deciding_nothing(self) -> Self {
        Self { deciding: CallbackSet::NONE, ..self }
    }

    /// The callbacks that are implemented.
    #[must_use]
    pub fn implemented(&self) -> CallbackSet {
        self.implemented
    }

    /// Tells if this callback is implemented. One that is not is never asked.
    #[must_use]
    pub fn has(&self, callback: Callback) -> bool {
        self.implemented.contains(callback)
    }

    /// Tells if the answer of this callback counts. A callback that is only tried out is asked, and decides nothing.
    #[must_use]
    pub fn decides(&self, callback: Callback) -> bool {
        self.deciding.contains(callback)
    }

    /// Asks `sign_in`.
    pub async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.inner.ask(Question::SignIn(input)).await?.sign_in()
    }

    /// Asks `jwt`.
    pub async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.inner.ask(Question::Jwt(input)).await?.jwt()
    }

    /// Asks `session`.
    pub async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.inner.ask(Question::Session(input)).await?.session()
    }

    /// Asks `redirect`.
    pub async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.inner.ask(Question::Redirect(input)).await?.redirect()
    }
}

/// Directs each question to the method of its callback.
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

    /// Implements `redirect`, and answers the base URL.
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
