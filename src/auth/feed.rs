//! Following the revocation feed: read to its end once before the first call is answered, then every quarter of
//! `max_staleness`.

use std::time::{Duration, Instant};

use super::revocation::Revocations;
use super::shared::Rules;
use crate::model::{Clock, FeedEntry, Revocation, User, UserId};
use crate::storage::{RevocationFeed, StoreResult, UserStore};

/// Reads what was appended since the last time, with the users it names, and takes it over.
pub async fn read_feed(
    feed: &dyn RevocationFeed,
    users: &dyn UserStore,
    revocations: &Revocations,
    rules: &Rules,
    clock: &dyn Clock,
) -> StoreResult<()> {
    let (by_clock, by_timer) = (clock.now(), Instant::now());
    let entries = feed.revocations_after(revocations.seq()).await?;
    let changed = changed_users(&entries);
    let users = if changed.is_empty() { Vec::new() } else { users.find_users(&changed).await? };
    let told = |user: User| {
        let claims = rules.user_claims(&user);
        (user, claims)
    };
    revocations.apply(&entries, users.into_iter().map(told).collect(), clock);
    revocations.note_checked(by_clock, by_timer);
    Ok(())
}

fn changed_users(entries: &[FeedEntry]) -> Vec<UserId> {
    let changed = entries.iter().filter_map(|entry| match entry.revocation {
        Revocation::UserChanged { id } => Some(id),
        Revocation::Session { .. } | Revocation::User { .. } => None,
    });
    let mut ids: Vec<_> = changed.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Reads the feed again and again; after each try `on_read` looks at how fresh it is.
pub async fn follow<R: Future<Output = ()> + Send>(
    feed: &dyn RevocationFeed,
    users: &dyn UserStore,
    revocations: &Revocations,
    rules: &Rules,
    clock: &dyn Clock,
    every: Duration,
    on_read: impl Fn() -> R + Send,
) {
    let mut failing = false;
    loop {
        tokio::time::sleep(every).await;
        let read = read_feed(feed, users, revocations, rules, clock).await;
        if let Err(error) = &read
            && !failing
        {
            tracing::warn!(%error, "revocation feed not read");
        }
        failing = read.is_err();
        on_read().await;
    }
}
