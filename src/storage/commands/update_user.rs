//! An administrator's change of a user.

use crate::model::{AuthLogEntry, EndReason, Timestamp, User};

/// An administrator's change of a user.
#[derive(Debug, Clone)]
pub struct UpdateUser {
    /// The user after the change, with its version raised by one; its epoch is raised if sessions end.
    pub user: User,
    /// The version that the change was made from.
    pub expected_version: i64,
    /// If set, its sessions are ended for this reason.
    pub end_sessions: Option<EndReason>,
    /// The time until which the feed keeps the entries.
    pub remember_until: Timestamp,
    /// Rows for the log.
    pub log: Vec<AuthLogEntry>,
}
