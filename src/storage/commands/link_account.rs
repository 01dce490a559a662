//! The rows that linking an account writes.

use crate::model::{Account, AuthLogEntry, SessionId, Timestamp, UsedMark};

/// Links an account to a user.
#[derive(Debug, Clone)]
pub struct LinkAccount {
    /// The account, of the user.
    pub account: Account,
    /// True if the user has the account already: then only its scope is written. The marks may have been used before, by
    /// the same call whose response was lost.
    pub again: bool,
    /// The session that shows that the person is signed in; it must be live, of this epoch of its user.
    pub session_id: SessionId,
    /// The user's epoch.
    pub epoch: i64,
    /// When.
    pub at: Timestamp,
    /// The single-use values that it spends.
    pub used: Vec<UsedMark>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// The outcome of linking an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// It is written.
    Done,
    /// Another writer added or removed the account first: read it again.
    Conflict,
    /// A single-use value was used before.
    Used,
    /// The session is over, or the user is gone.
    SessionOver,
}
