//! Revocations by this replica, which take effect here before the feed delivers them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::follower::Follower;
use super::index::Revocations;
use crate::auth::error::Result;
use crate::auth::rules::{UserClaim, user_claims};
use crate::model::{FeedEntry, Timestamp, User};
use crate::storage::Revoked;

/// Applies revocations to the index of this replica.
pub struct LocalRevocations {
    /// The revocations known here.
    pub index: Arc<Revocations>,
    /// Reads the feed.
    pub follower: Arc<Follower>,
    /// The time for which a revocation is kept.
    pub remember: Duration,
    /// The claims about the user that tokens contain.
    pub user_claims: BTreeSet<UserClaim>,
}

impl LocalRevocations {
    /// Returns the time until which a revocation made now must be kept.
    pub(in crate::auth) fn remember_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.remember)
    }

    /// Applies the revocations of a transaction of this replica.
    pub(in crate::auth) fn apply(&self, revoked: &Revoked) {
        self.apply_entries(&revoked.entries, revoked.user.as_ref());
    }

    /// Applies feed entries that a transaction of this replica wrote, and the user that it changed.
    pub(in crate::auth) fn apply_entries(&self, entries: &[FeedEntry], user: Option<&User>) {
        let read = user.map(|user| (user.id, Some((user.clone(), user_claims(&self.user_claims, user)))));
        self.index.apply(entries, read.into_iter().collect(), self.remember);
    }

    /// Catches up with the feed before acknowledging a change that was already committed. Another replica committed it,
    /// or a call of this replica whose response was lost.
    pub(in crate::auth) async fn catch_up(&self) -> Result<()> {
        Ok(self.follower.catch_up().await?)
    }
}
