//! Callbacks that may hang or be gone: each of the four is asked only while it answers, and by a bounded number of calls
//! at once. Who can't ask fails at once, so that a dead service costs no call its timeout, and none of the four harms
//! another.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::circuit::{Change, Circuit, Leave, UNANSWERED};
use crate::auth::{
    Callback, CallbackFailure, CallbackResult, Callbacks, FailureKind, JwtDecision, JwtInput, PerCallback,
    RedirectInput, SessionInput, SignInDecision, SignInInput,
};
use crate::model::{ClaimMap, Clock, Entropy, random};

/// Calls of one callback that wait for its answer at a time.
const WAITING: usize = 256;

/// Asks callbacks while they answer.
pub struct Breaker {
    inner: Arc<dyn Callbacks>,
    gates: PerCallback<Gate>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

struct Gate {
    circuit: Circuit,
    room: Semaphore,
}

impl Breaker {
    /// Around `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Callbacks>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let gates = PerCallback::of(|_| Gate { circuit: Circuit::new(), room: Semaphore::new(WAITING) });
        Self { inner, gates, clock, entropy }
    }

    async fn guard<T>(
        &self,
        callback: Callback,
        ask: impl Future<Output = CallbackResult<T>> + Send,
    ) -> CallbackResult<T> {
        let not_asked = |cause: &str| callback.failed_as(FailureKind::NotAsked, cause);
        let gate = self.gates.get(callback);
        let _place = gate.room.try_acquire().map_err(|_| not_asked("too many calls wait for its answer"))?;
        let leave = gate
            .circuit
            .leave(self.clock.now())
            .ok_or_else(|| not_asked("it did not answer the calls before"))?;
        let mut turn = Turn { breaker: self, callback, leave: Some(leave) };
        let answer = ask.await;
        turn.ends(answer.as_ref().err());
        answer
    }
}

/// One that asks; dropped before the end, nobody waited for the answer.
struct Turn<'a> {
    breaker: &'a Breaker,
    callback: Callback,
    leave: Option<Leave>,
}

impl Turn<'_> {
    fn ends(&mut self, failure: Option<&CallbackFailure>) {
        let (callback, circuit) = (self.callback.name(), &self.breaker.gates.get(self.callback).circuit);
        let change = match (self.leave.take(), failure.map(|failure| failure.kind)) {
            (None, _) => Change::None,
            (Some(leave), None | Some(FailureKind::Failed)) => circuit.answered(leave),
            (Some(leave), Some(FailureKind::Unanswered)) => {
                let noise = random(&*self.breaker.entropy);
                circuit.unanswered(leave, self.breaker.clock.now(), noise)
            }
            (Some(leave), Some(FailureKind::CutShort | FailureKind::NotAsked)) => {
                circuit.given_up(leave, self.breaker.clock.now());
                Change::None
            }
        };
        match (change, failure) {
            (Change::Opened, Some(CallbackFailure { cause, .. })) => {
                tracing::warn!(
                    callback,
                    cause,
                    "callback no longer asked, except for a probe now and then: {UNANSWERED} calls in a row were \
                     not answered"
                );
            }
            (Change::Closed, _) => tracing::info!(callback, "callback answers again"),
            (Change::Opened | Change::None, _) => {}
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            self.breaker.gates.get(self.callback).circuit.given_up(leave, self.breaker.clock.now());
        }
    }
}

#[async_trait]
impl Callbacks for Breaker {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.guard(Callback::SignIn, self.inner.sign_in(input)).await
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.guard(Callback::Jwt, self.inner.jwt(input)).await
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.guard(Callback::Session, self.inner.session(input)).await
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.guard(Callback::Redirect, self.inner.redirect(input)).await
    }

    fn has(&self, callback: Callback) -> bool {
        self.inner.has(callback)
    }

    fn decides(&self, callback: Callback) -> bool {
        self.inner.decides(callback)
    }
}
