//! Revocations, and the feed entries that every revoking transaction appends.

use super::id::{SessionId, UserId};
use super::session::EndReason;
use super::time::Timestamp;

/// A revocation, or a change that invalidates cached state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// A session was ended; its tokens are rejected until the last of them has expired.
    Session {
        /// The session's id.
        id: SessionId,
        /// The reason.
        reason: EndReason,
    },
    /// A user's epoch was raised; all tokens below it are rejected.
    User {
        /// The user's id.
        id: UserId,
        /// The lowest accepted epoch.
        min_epoch: i64,
        /// The reason.
        reason: EndReason,
    },
    /// A user's name, e-mail, image or role changed, so existing tokens are outdated.
    UserChanged {
        /// The user's id.
        id: UserId,
    },
    /// A signing key was created, moved forward or revoked, so the key ring must be reloaded.
    KeysChanged,
}

/// An entry of the revocation feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its sequence number; the order is that of the commits.
    pub seq: i64,
    /// The time until which it must be kept.
    pub until: Timestamp,
    /// The revocation.
    pub revocation: Revocation,
}
