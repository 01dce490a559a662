//! The auth log as the use cases write it: rows of one clock, without the actions that are excluded.

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
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the rows' ids.
    pub entropy: Arc<dyn Entropy>,
    /// Actions that are not logged.
    pub exclude: Vec<AuthLogAction>,
    /// The sampler of denied callers.
    pub sampled: DenialSampler,
}

/// The seconds in which an unknown caller, and a known one, were last logged as denied.
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

    /// The row, unless its action is excluded: for a transaction that writes it.
    pub(super) fn unless_excluded(&self, entry: AuthLogEntry) -> Option<AuthLogEntry> {
        (!self.exclude.contains(&entry.action)).then_some(entry)
    }

    /// Appends a row about something that wrote nothing else.
    pub(super) async fn append(&self, entry: AuthLogEntry) -> Result<()> {
        if let Some(entry) = self.unless_excluded(entry) {
            self.log.append(entry).await?;
        }
        Ok(())
    }

    /// Tells if a caller that is denied now is logged: one a second, so that a flood of denials is no flood of rows. Unknown
    /// callers are counted apart, so that they hide no known one.
    #[must_use]
    pub fn samples_denial(&self, is_known: bool) -> bool {
        let now = self.clock.now().seconds();
        self.sampled.0[usize::from(is_known)].swap(now, Ordering::Relaxed) != now
    }

    /// Logs that a caller was denied. The call stays denied if the row can't be written.
    pub async fn caller_denied(&self, origin: &Origin, reason: Reason) {
        let entry = self.entry(AuthLogAction::CallerDenied, origin).ended(AuthLogOutcome::Denied, reason);
        if let Err(error) = self.append(entry).await {
            tracing::warn!(?error, "denied caller not logged");
        }
    }
}
