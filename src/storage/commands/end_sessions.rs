//! Sessions end: one of them, or those of a user.

use crate::model::{AuthLogEntry, EndReason, FeedEntry, SessionId, Timestamp, User, UserId};

/// Ends one session.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// The session.
    pub session_id: SessionId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// Ends all sessions of a user, or all but one.
#[derive(Debug, Clone)]
pub struct EndUserSessions {
    /// The user.
    pub user_id: UserId,
    /// The one that goes on; the user's epoch stays then.
    pub except: Option<SessionId>,
    /// Only if this session was live itself at that time; nothing is ended otherwise.
    pub only_if_live: Option<(SessionId, Timestamp)>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// The outcome of a revocation: its entries in the feed, and the number of live sessions that it ended.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    /// The entries, to be applied at once where they were made.
    pub entries: Vec<FeedEntry>,
    /// The user as it is now, where the step changed it.
    pub user: Option<User>,
    /// Sessions that were live until now.
    pub sessions_ended: u64,
}
