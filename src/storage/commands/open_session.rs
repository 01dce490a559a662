//! The rows that a sign-in writes.

use crate::model::{Account, AccountId, AuthLogEntry, FeedEntry, Session, Timestamp, UsedMark, User};

/// What a sign-in writes.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The user, new or known.
    pub user: UserWrite,
    /// What becomes of the account's row.
    pub account: Option<AccountWrite>,
    /// The pending session.
    pub session: Session,
    /// What it uses up.
    pub used: Vec<UsedMark>,
    /// Where the person is.
    pub ip_address: Option<String>,
    /// Until when the feed must remember a changed profile.
    pub remember_until: Timestamp,
    /// Rows for the log.
    pub log: Vec<AuthLogEntry>,
}

/// The user of a sign-in.
#[derive(Debug, Clone)]
pub enum UserWrite {
    /// A new one.
    Create(User),
    /// A known one, if it is still of the version it was found at.
    Update {
        /// The user as it shall be; of a higher version when more than the time of the last sign-in differs.
        user: User,
        /// The version it was found at.
        expected_version: i64,
    },
}

/// The account of a sign-in.
#[derive(Debug, Clone)]
pub enum AccountWrite {
    /// A new one.
    Create(Account),
    /// A known one, to which other scopes were granted.
    Scope {
        /// The account.
        id: AccountId,
        /// The scopes.
        scope: Option<String>,
    },
}

/// What became of a sign-in.
#[derive(Debug)]
pub enum Opened {
    /// It is written.
    Done(Vec<FeedEntry>),
    /// Somebody else wrote the same user, account or e-mail first, or the user was banned meanwhile: look again.
    Conflict,
    /// A sign-in of the same `request_id` was there before.
    RequestKnown,
    /// What it would use up was used before; by the same `request_id`, perhaps.
    Used,
}
