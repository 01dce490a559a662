//! The rows that linking an account writes.

use super::recorded_request::RecordOutcome;
use crate::model::{Account, AuthLogEntry, SessionId, Timestamp, UsedMark};

/// Links an account to a user.
#[derive(Debug, Clone)]
pub struct LinkAccount {
    /// The account; it names its user.
    pub account: Account,
    /// True if the user has the account already; then only its scope is written. The marks may already be used, by the
    /// same call whose response was lost.
    pub again: bool,
    /// The session that proves the sign-in; it must be live and have this epoch of its user.
    pub session_id: SessionId,
    /// The user's epoch.
    pub epoch: i64,
    /// The time of the change.
    pub at: Timestamp,
    /// The single-use values that it uses up.
    pub used: Vec<UsedMark>,
    /// The outcome of the request that used its flow, if it may be repeated.
    pub outcome: Option<RecordOutcome>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// The outcome of linking an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// The account is linked.
    Done,
    /// Another writer added or removed the account first; read again.
    Conflict,
    /// A single-use value has already been used.
    Used,
    /// The session is over, or the user was deleted.
    SessionOver,
    /// The request already has another outcome.
    OutcomeKnown,
}
