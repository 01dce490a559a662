//! Revocations of this replica: they take effect here at once, before the feed brings them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::follower::Follower;
use super::index::Revocations;
use crate::auth::error::Result;
use crate::auth::rules::{UserClaim, user_claims};
use crate::model::{FeedEntry, Timestamp, User};
use crate::storage::Revoked;

/// Applies revocations to what this replica knows.
pub struct LocalRevocations {
    /// The revocations known here.
    pub index: Arc<Revocations>,
    /// Reads the feed.
    pub follower: Arc<Follower>,
    /// The time for which a revocation must be remembered.
    pub remember: Duration,
    /// The claims that tell of a user.
    pub user_claims: BTreeSet<UserClaim>,
}

impl LocalRevocations {
    /// The time until which a revocation of now must be remembered.
    pub(in crate::auth) fn remember_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.remember)
    }

    /// Applies what a transaction of this replica revoked.
    pub(in crate::auth) fn apply(&self, revoked: &Revoked) {
        self.apply_entries(&revoked.entries, revoked.user.as_ref());
    }

    /// Applies entries of the feed that a transaction of this replica wrote, and the user that it changed.
    pub(in crate::auth) fn apply_entries(&self, entries: &[FeedEntry], user: Option<&User>) {
        let read = user.map(|user| (user.id, Some((user.clone(), user_claims(&self.user_claims, user)))));
        self.index.apply(entries, read.into_iter().collect(), self.remember);
    }

    /// Catches up with the feed before a change is acknowledged that was committed already: by another replica, or by
    /// a call of this one whose answer was lost.
    pub(in crate::auth) async fn catch_up(&self) -> Result<()> {
        Ok(self.follower.catch_up().await?)
    }
}
