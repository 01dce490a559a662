//! Revocations, and the entries of the feed that every revoking transaction appends to.

use super::id::{SessionId, UserId};
use super::session::EndReason;
use super::time::Timestamp;

/// One thing that was revoked or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// A session was ended; its tokens are refused until the last of them has expired.
    Session {
        /// The session.
        id: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// All tokens of a user below an epoch are refused.
    User {
        /// The user.
        id: UserId,
        /// The lowest epoch that still counts.
        min_epoch: i64,
        /// Why.
        reason: EndReason,
    },
    /// A user's name, e-mail, image or role changed; tokens tell an older state.
    UserChanged {
        /// The user.
        id: UserId,
    },
    /// A signing key was made, moved forward or revoked: the ring is to be read anew.
    KeysChanged,
}

/// A revocation as the feed keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its place; the order of places is the order of commits.
    pub seq: i64,
    /// Until when it must be remembered.
    pub until: Timestamp,
    /// The revocation itself.
    pub revocation: Revocation,
}
