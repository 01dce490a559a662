//! `SignIn` from the outside: a call completes a sign-in, or gets the outcome of an earlier call with the same
//! `request_id`. A sign-in is logged and counted once.

use std::sync::Arc;

use super::attempt::Attempt;
use super::complete::{CompleteSignIn, SignInRequest};
use super::counts::SignInCounts;
use super::denial::Denials;
use super::outcome::SignInOutcome;
use super::repeat::claim::Claim;
use super::repeat::repeats::Repeats;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};

/// The use case `SignIn`.
pub struct SignIn {
    /// Completes a sign-in.
    pub complete: CompleteSignIn,
    /// Answers repeated callbacks.
    pub repeats: Repeats,
    /// Logs sign-ins that fail.
    pub denials: Arc<Denials>,
    /// Counts sign-ins.
    pub counts: SignInCounts,
}

/// The outcome of a call.
enum Answer {
    /// The call completed a sign-in, or failed.
    Own(Result<SignInOutcome>),
    /// An earlier call has this outcome.
    Earlier(Result<SignInOutcome>),
}

impl SignIn {
    /// Signs a person in, or links an account to the signed-in user.
    pub async fn run(&self, call: &Call, request: SignInRequest) -> Result<SignInOutcome> {
        let mut attempt = Attempt { provider: request.credential.provider().cloned(), ..Attempt::default() };
        let outcome = match self.answer(call, request, &mut attempt).await {
            Answer::Earlier(outcome) => return outcome,
            Answer::Own(outcome) => self.logged(call, &attempt, outcome).await,
        };
        self.counts.count(&attempt, &outcome);
        match &attempt.claim {
            Some(claim) if attempt.used_flow => self.repeats.record(claim, outcome).await,
            Some(_) | None => outcome,
        }
    }

    async fn answer(&self, call: &Call, mut request: SignInRequest, attempt: &mut Attempt) -> Answer {
        let Some(claim) = self.repeats.claim(&call.caller.group, &mut request, attempt) else {
            return Answer::Own(self.complete.run(call, request, attempt).await);
        };
        if let Some(answer) = self.earlier(&claim).await {
            return answer;
        }
        attempt.claim = Some(claim.clone());
        let outcome = self.complete.run(call, request, attempt).await;
        // A concurrent call may have used the flow meanwhile.
        let lost = matches!(outcome, Err(Error::FlowUsed)) && !attempt.used_flow;
        let earlier = if lost { self.earlier(&claim).await } else { None };
        earlier.unwrap_or(Answer::Own(outcome))
    }

    async fn earlier(&self, claim: &Claim) -> Option<Answer> {
        match self.repeats.earlier(claim).await {
            Ok(None) => None,
            Ok(Some(outcome)) => Some(Answer::Earlier(Ok(outcome))),
            Err(error @ Error::Recorded(_)) => Some(Answer::Earlier(Err(error))),
            Err(error) => Some(Answer::Own(Err(error))),
        }
    }

    /// Logs a failure. Once the flow is used, the failure is final.
    async fn logged(
        &self,
        call: &Call,
        attempt: &Attempt,
        outcome: Result<SignInOutcome>,
    ) -> Result<SignInOutcome> {
        let is_final = |error| if attempt.used_flow { Error::FlowSpent(Box::new(error)) } else { error };
        match outcome.map_err(is_final) {
            Ok(outcome) => Ok(outcome),
            Err(error) => match self.denials.failed(call, attempt, &error).await {
                Ok(()) => Err(error),
                Err(unlogged) => Err(is_final(unlogged)),
            },
        }
    }
}
