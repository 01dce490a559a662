//! The claim of a call on its flow: it records the request with the flow's mark, and later the outcome.

use std::time::Duration;

use tokio::time::Instant;

use super::record::Record;
use crate::auth::call_context::CallContext;
use crate::auth::error::{Error, Result};
use crate::auth::sign_in::flows::Flows;
use crate::auth::sign_in::outcome::SignInOutcome;
use crate::model::{Account, RedirectUrl, RequestMark, Timestamp, UsedMark};
use crate::storage::commands::{RecordOutcome, RecordRequest};
use crate::tokens::GrantToken;

/// The time for which a callback may be repeated.
const REPEATABLE_FOR: Duration = Duration::from_mins(1);

/// The time after its deadline in which a call may still record its outcome.
const LAST_STEPS: Duration = Duration::from_secs(1);

/// The maximum size of a sealed outcome, in bytes: more than a sealed pending session, whose account it also contains.
const MAX_OUTCOME_BYTES: usize = 40 * 1024;

/// The claim of a call with a `request_id` on its flow.
#[derive(Clone)]
pub(in crate::auth::sign_in) struct Claim {
    pub(super) flows: Flows,
    /// The mark of the flow.
    pub(super) mark: UsedMark,
    pub(super) request: RequestMark,
}

impl Claim {
    /// Records that this request uses the flow, from now on.
    pub(in crate::auth::sign_in) fn record(&self) -> RecordRequest {
        let now = self.flows.clock.now();
        let repeat_until = now.plus(REPEATABLE_FOR);
        let due = CallContext::current().and_then(|call| call.due);
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let busy_until = left.map_or(repeat_until, |left| now.plus(left + LAST_STEPS).min(repeat_until));
        RecordRequest { mark: self.mark, request: self.request, busy_until, repeat_until }
    }

    /// Records an allowed sign-in, or a linked account. The transaction that writes it also writes this.
    pub(in crate::auth::sign_in) fn allowed(
        &self,
        account: &Account,
        is_new_user: bool,
        grant: Option<&(GrantToken, Timestamp)>,
        redirect_to: &RedirectUrl,
    ) -> RecordOutcome {
        self.seal(&Record::allowed(account, is_new_user, grant, redirect_to))
    }

    /// Records any outcome.
    pub(super) fn outcome(&self, outcome: &Result<SignInOutcome>) -> RecordOutcome {
        self.seal(&Record::of(outcome))
    }

    /// Reads a recorded outcome.
    pub(super) fn read(&self, sealed: &[u8]) -> Result<Record> {
        // A replica without a newer secret can't read what other replicas wrote with it.
        let json = self.flows.secrets.open_outcome(&self.mark.key, sealed).ok_or(Error::SuccessorUnknown)?;
        serde_json::from_slice(&json).map_err(|error| Error::Internal(error.to_string()))
    }

    fn seal(&self, record: &Record) -> RecordOutcome {
        let (flows, mark) = (&self.flows, self.mark.key);
        let seal = |record: &Record| {
            let json = serde_json::to_vec(record).unwrap_or_default();
            flows.secrets.seal_outcome(&*flows.entropy, &mark, &json)
        };
        let mut outcome = seal(record);
        if outcome.len() > MAX_OUTCOME_BYTES {
            outcome = seal(&Record::of(&Err(Error::Conflict)));
        }
        RecordOutcome { mark, outcome }
    }
}
