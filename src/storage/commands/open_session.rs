//! The rows that a sign-in writes.

use crate::model::{Account, AccountId, AuthLogEntry, FeedEntry, Session, Timestamp, UsedMark, User};

/// Opens a session by a sign-in.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The user, new or known.
    pub user: UserWrite,
    /// The change of the account's row.
    pub account: Option<AccountWrite>,
    /// The pending session.
    pub session: Session,
    /// The single-use values that it spends.
    pub used: Vec<UsedMark>,
    /// The address of the person's client.
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

/// The outcome of a sign-in.
#[derive(Debug)]
pub enum Opened {
    /// It is written.
    Done(Vec<FeedEntry>),
    /// Another writer wrote the same user, account or e-mail first, or the user was banned meanwhile: read again.
    Conflict,
    /// A sign-in of the same `request_id` was there before.
    RequestKnown,
    /// A single-use value was used before; perhaps by the same `request_id`.
    Used,
}
