//! The rows that linking an account writes.

use crate::model::{Account, AuthLogEntry, SessionId, Timestamp, UsedMark};

/// What adding an account to a user writes.
#[derive(Debug, Clone)]
pub struct Linking {
    /// The account, of the user.
    pub account: Account,
    /// Whether the user has it already: then only its scope is written, and it may be that what is used up was used before, by
    /// the same linking, whose answer was lost.
    pub again: bool,
    /// The session that shows that the person is signed in; it must be live, of this epoch of its user.
    pub session_id: SessionId,
    /// The user's epoch.
    pub epoch: i64,
    /// When.
    pub at: Timestamp,
    /// What it uses up.
    pub used: Vec<UsedMark>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// What became of a linking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// It is written.
    Done,
    /// Somebody else added the account first, or took it away: look again.
    Conflict,
    /// What it would use up was used before.
    Used,
    /// The session is over, or the user is gone.
    SessionOver,
}
