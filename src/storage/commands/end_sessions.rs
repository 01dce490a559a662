//! The end of sessions: of one, or of those of a user.

use crate::model::{AuthLogEntry, EndReason, FeedEntry, SessionId, Timestamp, User, UserId};

/// Ends one session.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// The session.
    pub session_id: SessionId,
    /// The time of the change.
    pub at: Timestamp,
    /// The reason.
    pub reason: EndReason,
    /// The time until which the feed keeps the entry.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// Ends all sessions of a user, or all but one.
#[derive(Debug, Clone)]
pub struct EndUserSessions {
    /// The user.
    pub user_id: UserId,
    /// The session that is kept; the user's epoch then stays the same.
    pub except: Option<SessionId>,
    /// If set, nothing is ended unless this session was live at that time.
    pub only_if_live: Option<(SessionId, Timestamp)>,
    /// The time of the change.
    pub at: Timestamp,
    /// The reason.
    pub reason: EndReason,
    /// The time until which the feed keeps the entries.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// The outcome of a revocation: its entries in the feed, and the number of live sessions that it ended.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    /// The entries, which apply immediately on the replica that made them.
    pub entries: Vec<FeedEntry>,
    /// The user after the step, if the step changed it.
    pub user: Option<User>,
    /// The number of sessions that were live.
    pub sessions_ended: u64,
}
