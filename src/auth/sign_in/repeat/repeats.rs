//! Repeated callbacks: the outcome of the first call, or a wait for it. The first call records its request in the
//! statement that marks the flow, and its outcome when there is one. A call that waits holds no connection and no lock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::claim::Claim;
use super::news::OutcomeNews;
use super::record::{AllowedRecord, DeniedRecord, Record, broken};
use crate::auth::call_context::CallContext;
use crate::auth::callbacks::Denial;
use crate::auth::error::{Error, Result};
use crate::auth::sign_in::attempt::Attempt;
use crate::auth::sign_in::complete::SignInRequest;
use crate::auth::sign_in::credential::presented::Credential;
use crate::auth::sign_in::denial::Denials;
use crate::auth::sign_in::flows::Flows;
use crate::auth::sign_in::outcome::{Allowed, SignInOutcome};
use crate::model::{Ban, DenialReason, RedirectUrl, Timestamp, random, resolve_redirect};
use crate::net::Backoff;
use crate::storage::commands::RecordedRequest;
use crate::storage::{UsedMarkStore, UserStore};

/// The pauses between two looks at the database; a call of this replica is woken sooner.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(40), Duration::from_millis(500));

/// The part of the call that remains after a wait.
const LEFT_TO_ANSWER: Duration = Duration::from_millis(500);

/// The time limit of a wait if the call has no deadline.
const NO_DEADLINE: Duration = Duration::from_secs(10);

/// Answers repeated callbacks.
pub struct Repeats {
    /// The marks of used flows, with the requests that used them.
    pub used_marks: Arc<dyn UsedMarkStore>,
    /// The store of the users.
    pub users: Arc<dyn UserStore>,
    /// Opens flows.
    pub flows: Flows,
    /// Answers denied sign-ins.
    pub denials: Arc<Denials>,
    /// News of recorded outcomes.
    pub news: OutcomeNews,
}

impl Repeats {
    /// Returns the claim of a callback that may be repeated. A callback without a valid flow has none: it fails later.
    /// The `request_id` of a callback has no other effect, so it is taken from the request.
    pub(in crate::auth::sign_in) fn claim(
        &self,
        group: &str,
        request: &mut SignInRequest,
        attempt: &mut Attempt,
    ) -> Option<Claim> {
        let Credential::OAuthCallback(callback) = &request.credential else { return None };
        let request = request.request.take()?;
        let flow = self.flows.unseal(group, &callback.flow).ok()?;
        let is_of_provider = callback.provider.as_ref().is_none_or(|provider| *provider == flow.provider);
        // An error of the provider uses no flow.
        if !is_of_provider || callback.error.is_some() || flow.check_state(&callback.state).is_err() {
            return None;
        }
        attempt.provider = Some(flow.provider.clone());
        Some(Claim { flows: self.flows.clone(), mark: flow.used(), request })
    }

    /// Returns the outcome of the request if an earlier call used the flow for it, and waits for it if necessary.
    /// Returns `None` if the flow is unused, or was used by a call that can't be repeated.
    pub(in crate::auth::sign_in) async fn earlier(&self, claim: &Claim) -> Result<Option<SignInOutcome>> {
        let mut listener = self.news.listen(claim.mark.key);
        let until = latest_answer();
        for looks in 0.. {
            let Some(recorded) = self.used_marks.find_request(claim.mark.key).await? else { return Ok(None) };
            self.check(claim, &recorded)?;
            if let Some(sealed) = &recorded.outcome {
                return self.answer(claim.read(sealed)?).await.map(Some);
            }
            if self.flows.clock.now() >= recorded.busy_until && self.end_lost(claim).await? {
                return Err(Error::FlowSpent(Box::new(Error::Conflict)));
            }
            let now = Instant::now();
            if now >= until {
                break;
            }
            let pause = PAUSES.pause(looks, random(&*self.flows.entropy));
            listener.wait(until.min(now + pause)).await;
        }
        Err(Error::Recorded(Box::new(Error::Conflict)))
    }

    /// Records the outcome of a call that used its flow; returns the outcome of the request, which may have another one
    /// already. If it can't be recorded, a repeated call ends with CONFLICT.
    pub(in crate::auth::sign_in) async fn record(
        &self,
        claim: &Claim,
        outcome: Result<SignInOutcome>,
    ) -> Result<SignInOutcome> {
        // An allowed sign-in was recorded in its own transaction.
        if !matches!(outcome, Ok(SignInOutcome::Allowed(_))) {
            match self.used_marks.record_outcome(claim.outcome(&outcome)).await {
                Ok(true) => {}
                Ok(false) => match self.earlier(claim).await {
                    Ok(Some(known)) => return Ok(known),
                    Err(known @ Error::Recorded(_)) => return Err(known),
                    Ok(None) | Err(_) => {}
                },
                Err(error) => tracing::warn!(%error, "outcome of a sign-in not recorded"),
            }
        }
        self.news.tell(claim.mark.key);
        outcome
    }

    /// Rejects another request, and one that comes too late.
    fn check(&self, claim: &Claim, recorded: &RecordedRequest) -> Result<()> {
        if recorded.request.key != claim.request.key || self.flows.clock.now() >= recorded.repeat_until {
            return Err(Error::FlowUsed);
        }
        if recorded.request.fingerprint != claim.request.fingerprint {
            return Err(Error::invalid(
                "request_id",
                "was already used for another request; create a new one",
            ));
        }
        Ok(())
    }

    /// Ends a request whose call was lost, with CONFLICT; returns false if it has an outcome after all.
    async fn end_lost(&self, claim: &Claim) -> Result<bool> {
        let ended = self.used_marks.record_outcome(claim.outcome(&Err(Error::Conflict))).await?;
        self.news.tell(claim.mark.key);
        Ok(ended)
    }

    async fn answer(&self, record: Record) -> Result<SignInOutcome> {
        match record {
            Record::Allowed(record) => self.allowed(&record).await,
            Record::Denied(record) => self.denied(record),
            Record::Redirect(url) => Ok(SignInOutcome::Redirect(self.url(&url))),
            Record::Failed(failure) => Err(Error::Recorded(Box::new(failure.error()))),
        }
    }

    async fn allowed(&self, record: &AllowedRecord) -> Result<SignInOutcome> {
        let account = record.account()?;
        // The user may have been deleted since.
        let user = self.users.find_user(account.user_id).await?.ok_or(Error::FlowUsed)?;
        Ok(SignInOutcome::Allowed(Box::new(Allowed {
            user,
            account,
            is_new_user: record.is_new_user,
            grant: record.grant()?,
            redirect_to: self.url(&record.redirect_to),
            provider_tokens: None,
        })))
    }

    fn denied(&self, record: DeniedRecord) -> Result<SignInOutcome> {
        let reason = DenialReason::from_name(&record.reason).ok_or_else(broken)?;
        let providers = record.linked_providers.iter().map(|id| id.parse().map_err(|_| broken()));
        let linked_providers = providers.collect::<Result<_>>()?;
        let ban =
            record.ban.map(|(reason, expires_at)| Ban { reason, expires_at: expires_at.map(Timestamp) });
        Ok(self.denials.answer(Denial { reason, detail: record.detail }, linked_providers, ban))
    }

    /// Returns a URL that was decided before; the rule accepts it again.
    fn url(&self, url: &str) -> RedirectUrl {
        let base_urls = &self.denials.invoke.base_urls;
        resolve_redirect(base_urls, base_urls.default_base(), url).0
    }
}

/// Returns the time by which a call that waits must answer.
fn latest_answer() -> Instant {
    let due = CallContext::current().and_then(|call| call.due);
    let due = due.unwrap_or_else(|| Instant::now() + NO_DEADLINE);
    due.checked_sub(LEFT_TO_ANSWER).unwrap_or(due)
}
