//! The auth log, as the use cases write it: rows timestamped by one clock, without the excluded actions.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::caller::Call;
use super::error::Result;
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, Clock, Email, Entropy, Origin, Reason, Session, User,
};
use crate::storage::AuthLogStore;

/// The auth log.
pub struct Audit {
    /// The store of the rows.
    pub log: Arc<dyn AuthLogStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the rows' ids.
    pub entropy: Arc<dyn Entropy>,
    /// Actions that are not logged.
    pub exclude: Vec<AuthLogAction>,
    /// The sampler of denied callers.
    pub sampled: DenialSampler,
}

/// The seconds in which an unknown and a known caller were last logged as denied.
#[derive(Debug, Default)]
pub struct DenialSampler([AtomicI64; 2]);

impl Audit {
    /// A row of success that names no user yet.
    pub(super) fn entry(&self, action: AuthLogAction, origin: &Origin) -> AuthLogEntry {
        AuthLogEntry::new(&*self.clock, &*self.entropy, action, origin)
    }

    /// A row about a user.
    pub(super) fn user_entry(&self, action: AuthLogAction, call: &Call, user: &User) -> AuthLogEntry {
        self.entry(action, &call.origin).of_user(user.id, user.email.as_ref().map(Email::as_str))
    }

    /// A row about a session and its user.
    pub(super) fn session_entry(
        &self,
        action: AuthLogAction,
        call: &Call,
        session: &Session,
        user: &User,
    ) -> AuthLogEntry {
        self.user_entry(action, call, user).of_session(session.id, session.provider.as_str())
    }

    /// Returns the row for a transaction to write, unless its action is excluded.
    pub(super) fn unless_excluded(&self, entry: AuthLogEntry) -> Option<AuthLogEntry> {
        (!self.exclude.contains(&entry.action)).then_some(entry)
    }

    /// Appends a row for an event that wrote nothing else.
    pub(super) async fn append(&self, entry: AuthLogEntry) -> Result<()> {
        if let Some(entry) = self.unless_excluded(entry) {
            self.log.append(entry).await?;
        }
        Ok(())
    }

    /// Returns true if a denied caller is to be logged now. At most one denial per second is logged, so that a flood of
    /// denials does not flood the log. Unknown callers are counted separately, so that they do not hide known ones.
    #[must_use]
    pub fn samples_denial(&self, is_known: bool) -> bool {
        let now = self.clock.now().seconds();
        self.sampled.0[usize::from(is_known)].swap(now, Ordering::Relaxed) != now
    }

    /// Logs that a caller was denied. The call stays denied even if the row can't be written.
    pub async fn caller_denied(&self, origin: &Origin, reason: Reason) {
        let entry = self.entry(AuthLogAction::CallerDenied, origin).ended(AuthLogOutcome::Denied, reason);
        if let Err(error) = self.append(entry).await {
            tracing::warn!(?error, "failed to write denied call to the auth log");
        }
    }
}
