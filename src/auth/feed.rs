//! Following the revocation feed: read to its end once before the first call is answered, then every quarter of
//! `max_staleness`; while that fails, ever less often, so that replicas do not knock together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::reload_keys::ReloadKeys;
use super::revocation::Revocations;
use super::shared::Rules;
use crate::model::{Clock, Entropy, FeedEntry, Moment, Revocation, User, UserId, random, spread};
use crate::storage::{FEED_PAGE, RevocationFeed, StoreResult};

/// The longest pause after a try that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Reads the feed into what this replica knows of revocations.
pub struct Follower {
    /// The feed.
    pub feed: Arc<dyn RevocationFeed>,
    /// The signing keys, which it tells of too.
    pub keys: Arc<dyn ReloadKeys>,
    /// What is known.
    pub revocations: Arc<Revocations>,
    /// Which claims tell of a user.
    pub rules: Rules,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the pauses.
    pub entropy: Arc<dyn Entropy>,
    /// Calls that want it read wait here: whoever is first reads for them all.
    pub turn: Mutex<()>,
}

impl Follower {
    /// Reads what was appended since the last time, with the users and keys it tells of, and takes it over.
    pub async fn read(&self) -> StoreResult<()> {
        loop {
            let (by_clock, began) = (self.clock.now(), Moment::now());
            let entries = self.feed.revocations_after(self.revocations.seq()).await?;
            let changed = changed_users(&entries);
            let users = if changed.is_empty() { Vec::new() } else { self.feed.find_users(&changed).await? };
            if entries.iter().any(|entry| entry.revocation == Revocation::KeysChanged) {
                self.keys.reload().await?;
            }
            let told = |user: User| {
                let claims = self.rules.user_claims(&user);
                (user, claims)
            };
            self.revocations.apply(&entries, users.into_iter().map(told).collect(), self.rules.remember());
            if entries.len() < FEED_PAGE {
                self.revocations.note_checked(by_clock, began);
                return Ok(());
            }
        }
    }

    /// Lets what the database holds hold here too: reads the feed as it is from now on, or lets another call's reading
    /// do that was begun since.
    pub(super) async fn catch_up(&self) -> StoreResult<()> {
        let asked = Moment::now();
        let _turn = self.turn.lock().await;
        if self.revocations.checked_since(asked) { Ok(()) } else { self.read().await }
    }

    /// Reads the feed again and again.
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

/// `every` while all is well; after failures twice as long each time, up to a second, less up to a half by chance.
fn pause(every: Duration, failures: u32, noise: [u8; 2]) -> Duration {
    if failures == 0 {
        return every;
    }
    let longest = (every * 2u32.saturating_pow(failures.min(10))).min(LONGEST_PAUSE.max(every));
    spread(longest / 2, longest, noise)
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
