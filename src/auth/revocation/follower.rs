//! Follows the revocation feed: reads it to its end before the first call is answered, then every quarter of
//! `max_staleness`; while that fails, ever less often, so that replicas do not retry together. A feed that was replaced,
//! since its database was restored or lost its last commits, is read from its beginning.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::index::Revocations;
use super::known::UserRead;
use crate::auth::reload_keys::ReloadKeys;
use crate::auth::rules::{UserClaim, user_claims};
use crate::model::{Clock, Entropy, FeedEntry, Revocation, SuspendAwareInstant, UserId, random};
use crate::net::Backoff;
use crate::storage::{FEED_PAGE, RevocationFeed, StoreError, StoreResult};

/// The longest pause after a try that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest time that reading the signing keys may take.
const KEYS_TAKE: Duration = Duration::from_secs(5);

/// Reads the feed into the revocation index of this replica.
pub struct Follower {
    /// The feed.
    pub feed: Arc<dyn RevocationFeed>,
    /// The signing keys, which the feed tells of too.
    pub keys: Arc<dyn ReloadKeys>,
    /// The index that it fills.
    pub index: Arc<Revocations>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the pauses.
    pub entropy: Arc<dyn Entropy>,
    /// The rules it needs.
    pub rules: FollowerRules,
    /// Its progress.
    pub state: FollowerState,
}

/// The rules that the follower needs.
#[derive(Debug, Clone)]
pub struct FollowerRules {
    /// The time for which an entry is remembered: the last token that it refuses has expired then.
    pub remember: Duration,
    /// The claims of tokens that tell of a user.
    pub user_claims: BTreeSet<UserClaim>,
}

/// The progress of a follower.
#[derive(Debug, Default)]
pub struct FollowerState {
    /// Set while the feed told of changed keys and these are still to be read.
    keys_due: AtomicBool,
    /// Held by who reads: there is one connection for it, and the time of a second reading would run while it waits.
    turn: Mutex<()>,
}

impl Follower {
    /// Reads what was appended since the last time, with the users and keys it tells of, and takes it over.
    pub async fn read(&self) -> StoreResult<()> {
        let _turn = self.state.turn.lock().await;
        self.read_in_turn().await
    }

    async fn read_in_turn(&self) -> StoreResult<()> {
        loop {
            let (by_clock, began) = (self.clock.now(), SuspendAwareInstant::now());
            let last = self.index.last();
            // The last known entry is read along: where it is not what it was, the feed is another.
            let entries = self.feed.revocations_after(last.map_or(0, |last| last.seq - 1)).await?;
            if let Some(last) = last
                && entries.first() != Some(&last)
            {
                self.begin_again(last).await?;
                continue;
            }
            let news = &entries[usize::from(last.is_some())..];
            let users = self.read_users(&changed_users(news)).await?;
            self.index.apply(news, users, self.rules.remember);
            if news.iter().any(|entry| entry.revocation == Revocation::KeysChanged) {
                self.state.keys_due.store(true, Ordering::Relaxed);
            }
            if entries.len() < FEED_PAGE {
                self.read_keys_if_due().await?;
                self.index.note_checked(by_clock, began);
                return Ok(());
            }
        }
    }

    /// An entry that is over may have been swept. One that is not over and gone was lost, and what stands in its place
    /// or before it may be news.
    async fn begin_again(&self, last: FeedEntry) -> StoreResult<()> {
        let mut users = Vec::new();
        let now = self.clock.now();
        if last.until > now {
            tracing::warn!(
                seq = last.seq,
                "the database lost revocations that were known here, by a restore or a failover: the feed is read \
                 anew, and those are still refused here"
            );
            self.state.keys_due.store(true, Ordering::Relaxed);
            for some in self.index.changed().chunks(FEED_PAGE) {
                users.extend(self.read_users(some).await?);
            }
        }
        self.index.begin_again(users, now);
        Ok(())
    }

    /// Reads users. One whose row can't be read is no reason to know nothing of the others.
    async fn read_users(&self, ids: &[UserId]) -> StoreResult<Vec<UserRead>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.feed.find_users(ids).await?.into_iter();
        let read = found.map(|(id, user)| match user {
            Ok(user) => {
                let claims = user_claims(&self.rules.user_claims, &user);
                (id, Some((user, claims)))
            }
            Err(error) => {
                tracing::error!(
                    user_id = %id, %error,
                    "a user changed and can't be read: its tokens are refused. Mend its row, then change it by UpdateUser"
                );
                (id, None)
            }
        });
        Ok(read.collect())
    }

    /// Reads the signing keys if they are due. Entries hold already, but without the keys the reading is not complete.
    async fn read_keys_if_due(&self) -> StoreResult<()> {
        if self.state.keys_due.load(Ordering::Relaxed) {
            tokio::time::timeout(KEYS_TAKE, self.keys.reload())
                .await
                .map_err(|_| StoreError::no_answer())??;
            self.state.keys_due.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Catches up with the feed as it is now, by a reading of its own or one that another call began since. A reading
    /// continues if its call gives up, for those that wait behind it.
    pub(in crate::auth) async fn catch_up(self: &Arc<Self>) -> StoreResult<()> {
        let (this, asked) = (Arc::clone(self), SuspendAwareInstant::now());
        let reading = tokio::spawn(async move {
            let _turn = this.state.turn.lock().await;
            if this.index.checked_since(asked) { Ok(()) } else { this.read_in_turn().await }
        });
        reading.await.map_err(|error| StoreError::Broken(error.to_string()))?
    }

    /// Reads the feed forever.
    pub async fn follow(&self, every: Duration) {
        let mut failures = 0;
        loop {
            tokio::time::sleep(pause(every, failures, random(&*self.entropy))).await;
            match self.read().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "revocation feed not read");
                    }
                    failures += 1;
                }
            }
        }
    }
}

fn changed_users(entries: &[FeedEntry]) -> Vec<UserId> {
    let changed = entries.iter().filter_map(|entry| match entry.revocation {
        Revocation::UserChanged { id } => Some(id),
        Revocation::Session { .. } | Revocation::User { .. } | Revocation::KeysChanged => None,
    });
    let mut ids: Vec<_> = changed.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The pause before the next reading: `every`; after failures twice as long each time, up to a second, less up to a
/// half by chance.
fn pause(every: Duration, failures: u32, noise: [u8; 2]) -> Duration {
    if failures == 0 {
        return every;
    }
    Backoff::new(every * 2, LONGEST_PAUSE.max(every)).pause(failures - 1, noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_fails_is_tried_ever_less_often_and_never_in_step() {
        let quarter = Duration::from_millis(250);
        assert_eq!(pause(quarter, 0, [0, 0]), quarter);
        assert_eq!(pause(quarter, 1, [0, 0]), quarter);
        assert_eq!(pause(quarter, 1, [255, 255]), quarter * 2);
        for failures in [2, 10, u32::MAX] {
            assert_eq!(pause(quarter, failures, [0, 0]), LONGEST_PAUSE / 2);
            assert_eq!(pause(quarter, failures, [255, 255]), LONGEST_PAUSE);
        }
        assert_eq!(pause(Duration::from_secs(15), 3, [255, 255]), Duration::from_secs(15));
    }
}
