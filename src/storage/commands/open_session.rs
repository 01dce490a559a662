//! The rows that a sign-in writes.

use super::recorded_request::RecordOutcome;
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
    /// The single-use values that it uses up.
    pub used: Vec<UsedMark>,
    /// The outcome of the request that used its flow, if it may be repeated.
    pub outcome: Option<RecordOutcome>,
    /// The address of the person's client.
    pub ip_address: Option<String>,
    /// The time until which the feed keeps a changed profile.
    pub remember_until: Timestamp,
    /// Rows for the log.
    pub log: Vec<AuthLogEntry>,
}

/// The user of a sign-in.
#[derive(Debug, Clone)]
pub enum UserWrite {
    /// A new user.
    Create(User),
    /// A known user, if its version is still the one that was read.
    Update {
        /// The user after the change; its version is higher if more than the time of the last sign-in changes.
        user: User,
        /// The version that was read.
        expected_version: i64,
    },
}

/// The account of a sign-in.
#[derive(Debug, Clone)]
pub enum AccountWrite {
    /// A new account.
    Create(Account),
    /// A known account with other granted scopes.
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
    /// The sign-in is written.
    Done(Vec<FeedEntry>),
    /// Another writer wrote the same user, account or e-mail address first, or the user was banned in between; read
    /// again.
    Conflict,
    /// A sign-in with the same `request_id` already exists.
    RequestKnown,
    /// A single-use value has already been used, possibly by the same `request_id`.
    Used,
    /// The request already has another outcome.
    OutcomeKnown,
}
