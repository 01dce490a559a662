//! Following the revocation feed: read to its end once before the first call is answered, then every quarter of
//! `max_staleness`.

use std::time::{Duration, Instant};

use super::reload_keys::ReloadKeys;
use super::revocation::Revocations;
use super::shared::Rules;
use crate::model::{Clock, FeedEntry, Revocation, User, UserId};
use crate::storage::{RevocationFeed, StoreResult, UserStore};

/// What the feed is read from, and what it tells of.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The feed.
    pub feed: &'a dyn RevocationFeed,
    /// The users that changed.
    pub users: &'a dyn UserStore,
    /// The signing keys, should they have.
    pub keys: &'a dyn ReloadKeys,
}

/// Reads what was appended since the last time, with the users and keys it tells of, and takes it over.
pub async fn read_feed(
    sources: Sources<'_>,
    revocations: &Revocations,
    rules: &Rules,
    clock: &dyn Clock,
) -> StoreResult<()> {
    let (by_clock, by_timer) = (clock.now(), Instant::now());
    let entries = sources.feed.revocations_after(revocations.seq()).await?;
    let changed = changed_users(&entries);
    let users = if changed.is_empty() { Vec::new() } else { sources.users.find_users(&changed).await? };
    if entries.iter().any(|entry| entry.revocation == Revocation::KeysChanged) {
        sources.keys.reload().await?;
    }
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
        Revocation::Session { .. } | Revocation::User { .. } | Revocation::KeysChanged => None,
    });
    let mut ids: Vec<_> = changed.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Reads the feed again and again; after each try `on_read` looks at how fresh it is.
pub async fn follow<R: Future<Output = ()> + Send>(
    sources: Sources<'_>,
    revocations: &Revocations,
    rules: &Rules,
    clock: &dyn Clock,
    every: Duration,
    on_read: impl Fn() -> R + Send,
) {
    let mut failing = false;
    loop {
        tokio::time::sleep(every).await;
        let read = read_feed(sources, revocations, rules, clock).await;
        if let Err(error) = &read
            && !failing
        {
            tracing::warn!(%error, "revocation feed not read");
        }
        failing = read.is_err();
        on_read().await;
    }
}
