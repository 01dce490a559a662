//! Follows the revocation feed. It reads the whole feed before the first call is answered, then polls it every quarter
//! of `max_staleness`. After failures it backs off with jitter, so that replicas do not retry together. If the feed was
//! replaced, because its database was restored or lost its last commits, it is read from the beginning.

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

/// The longest pause after a failed read.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest time that reading the signing keys may take.
const KEYS_TAKE: Duration = Duration::from_secs(5);

/// Reads the feed into the revocation index of this replica.
pub struct Follower {
    /// The feed.
    pub feed: Arc<dyn RevocationFeed>,
    /// The signing keys, whose changes the feed also announces.
    pub keys: Arc<dyn ReloadKeys>,
    /// The index that it fills.
    pub index: Arc<Revocations>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the pauses.
    pub entropy: Arc<dyn Entropy>,
    /// The configured rules.
    pub rules: FollowerRules,
    /// Its progress.
    pub state: FollowerState,
}

/// The rules that the follower needs.
#[derive(Debug, Clone)]
pub struct FollowerRules {
    /// The time for which an entry is kept: afterwards the last token that it rejects has expired.
    pub remember: Duration,
    /// The claims about the user that tokens contain.
    pub user_claims: BTreeSet<UserClaim>,
}

/// The progress of a follower.
#[derive(Debug, Default)]
pub struct FollowerState {
    /// Set if the feed announced changed keys that have not been read yet.
    keys_due: AtomicBool,
    /// Held during a read. There is one connection for reading, and a second read would time out while it waits.
    turn: Mutex<()>,
}

impl Follower {
    /// Reads the entries appended since the last read, with the users and keys that they name, and applies them.
    pub async fn read(&self) -> StoreResult<()> {
        let _turn = self.state.turn.lock().await;
        self.read_in_turn().await
    }

    async fn read_in_turn(&self) -> StoreResult<()> {
        loop {
            let (by_clock, began) = (self.clock.now(), SuspendAwareInstant::now());
            let last = self.index.last();
            // The last known entry is read again: if it differs, the feed was replaced.
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

    /// An expired entry may have been deleted by cleanup. An entry that is missing before its expiry was lost, and its
    /// place or earlier places may hold new entries.
    async fn begin_again(&self, last: FeedEntry) -> StoreResult<()> {
        let mut users = Vec::new();
        let now = self.clock.now();
        if last.until > now {
            tracing::warn!(
                seq = last.seq,
                "revocation feed lost entries (restore or failover); reading it from the start, known revocations \
                 stay in effect"
            );
            self.state.keys_due.store(true, Ordering::Relaxed);
            for some in self.index.changed().chunks(FEED_PAGE) {
                users.extend(self.read_users(some).await?);
            }
        }
        self.index.begin_again(users, now);
        Ok(())
    }

    /// Reads users. A row that can't be read does not hide the others.
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
                    "failed to read changed user, rejecting its tokens; repair its row, then call UpdateUser"
                );
                (id, None)
            }
        });
        Ok(read.collect())
    }

    /// Reads the signing keys if they are due. Entries already apply, but the read is not complete without the keys.
    async fn read_keys_if_due(&self) -> StoreResult<()> {
        if self.state.keys_due.load(Ordering::Relaxed) {
            tokio::time::timeout(KEYS_TAKE, self.keys.reload())
                .await
                .map_err(|_| StoreError::no_answer())??;
            self.state.keys_due.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Catches up with the current feed, by its own read or by one that another call began since. A read continues if
    /// its call is cancelled, for the calls that wait for it.
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
                        tracing::warn!(%error, "failed to read revocation feed");
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

/// Returns the pause before the next read: `every`, doubled after each failure up to one second, with a jitter of up to
/// one half.
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
