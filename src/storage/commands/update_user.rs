//! An administrator's change of a user.

use crate::model::{AuthLogEntry, EndReason, Timestamp, User};

/// An administrator's change of a user.
#[derive(Debug, Clone)]
pub struct UpdateUser {
    /// The user as it shall be, its version raised by one; its epoch raised if sessions end.
    pub user: User,
    /// The version it was made from.
    pub expected_version: i64,
    /// Ends its sessions, for this reason.
    pub end_sessions: Option<EndReason>,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// Rows for the log.
    pub log: Vec<AuthLogEntry>,
}
