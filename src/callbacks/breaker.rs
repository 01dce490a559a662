//! A circuit breaker for callbacks that may hang or be unreachable. Each of the four is called only while it answers,
//! and by a limited number of calls at once. A rejected call fails immediately, so that an unavailable service costs no
//! timeouts, and the four do not affect each other.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::circuit::{Change, Circuit, Leave, UNANSWERED};
use crate::auth::{
    Answer, Ask, Callback, CallbackFailure, CallbackResult, FailureKind, PerCallback, Question,
};
use crate::model::{Clock, Entropy, random};

/// The maximum number of calls that wait for one callback at a time.
const WAITING: usize = 256;

/// A circuit breaker around callbacks.
pub struct Breaker {
    inner: Arc<dyn Ask>,
    gates: PerCallback<Gate>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

struct Gate {
    circuit: Circuit,
    room: Semaphore,
}

impl Breaker {
    /// Makes a breaker around `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Ask>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let gates = PerCallback::of(|_| Gate { circuit: Circuit::new(), room: Semaphore::new(WAITING) });
        Self { inner, gates, clock, entropy }
    }
}

/// A call in progress. If it is dropped before it ends, nothing waited for the answer.
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
                tracing::warn!(callback, cause, unanswered = UNANSWERED, "callback circuit opened");
            }
            (Change::Closed, _) => tracing::info!(callback, "callback circuit closed"),
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
impl Ask for Breaker {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        let callback = question.callback();
        let not_asked = |cause: &str| callback.failed_as(FailureKind::NotAsked, cause);
        let gate = self.gates.get(callback);
        let _place =
            gate.room.try_acquire().map_err(|_| not_asked("too many calls are waiting for its response"))?;
        let leave = gate
            .circuit
            .leave(self.clock.now())
            .ok_or_else(|| not_asked("the circuit is open after failed calls"))?;
        let mut turn = Turn { breaker: self, callback, leave: Some(leave) };
        let answer = self.inner.ask(question).await;
        turn.ends(answer.as_ref().err());
        answer
    }
}
