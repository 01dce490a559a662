//! Revocations by subject: ended sessions, raised epochs and changed users. `GetSession` queries nothing else.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::auth::error::{Error, Result};
use crate::model::{Ban, EndReason, FeedEntry, Revocation, SessionId, Timestamp, User, UserId};
use crate::tokens::UserClaims;

/// The pause between two searches for expired entries; a search visits all entries.
pub(super) const FORGET_EVERY: Duration = Duration::from_mins(1);

/// A map shrinks if its capacity exceeds this multiple of its entries.
const SPARE_ROOM: usize = 8;

/// The revoked sessions, the users' epochs and the overlay of changed users.
#[derive(Debug, Default)]
pub(super) struct Known {
    forgotten_at: Option<Instant>,
    sessions: HashMap<SessionId, Remembered<EndReason>>,
    users: HashMap<UserId, Remembered<MinEpoch>>,
    /// `None` if the row can't be read.
    changed: HashMap<UserId, Remembered<Option<ChangedUser>>>,
    keys: Option<Remembered<()>>,
}

#[derive(Debug, Clone)]
struct Remembered<T> {
    /// By the monotonic timer: a clock that jumps must not undo a revocation.
    until: Instant,
    what: T,
}

#[derive(Debug, Clone, Copy)]
struct MinEpoch {
    epoch: i64,
    reason: EndReason,
}

/// A user whose row was read, and its claims in tokens; `None` if the row is invalid.
pub type UserRead = (UserId, Option<(User, UserClaims)>);

/// A changed user in its current state.
#[derive(Debug, Clone)]
pub struct UserNow {
    /// Its version.
    pub version: i64,
    /// Its claims, as a token issued now has them.
    pub claims: UserClaims,
    /// The time of its last change.
    pub changed_at: Timestamp,
}

#[derive(Debug, Clone)]
struct ChangedUser {
    version: i64,
    changed_at: Timestamp,
    ban: Option<Ban>,
    claims: UserClaims,
}

impl ChangedUser {
    fn of(user: User, claims: UserClaims) -> Self {
        Self { version: user.version, changed_at: user.updated_at, ban: user.ban, claims }
    }
}

fn may_be_banned(user: Option<&ChangedUser>, now: Timestamp) -> bool {
    user.is_none_or(|user| user.ban.as_ref().is_some_and(|ban| ban.is_in_force(now)))
}

impl Known {
    /// Rejects a session that was ended or has a lower epoch; returns the current state of its user if that changed.
    pub(super) fn check(
        &self,
        session_id: SessionId,
        user_id: UserId,
        epoch: i64,
        now: Timestamp,
    ) -> Result<Option<UserNow>> {
        let changed = self.changed.get(&user_id).map(|changed| &changed.what);
        let ended = self.sessions.get(&session_id).map(|ended| ended.what);
        let below = self.users.get(&user_id).map(|user| user.what).filter(|user| epoch < user.epoch);
        match ended.or(below.map(|user| user.reason)) {
            // A ban that was lifted, or has expired, still ended the session.
            Some(EndReason::Banned) if changed.is_none_or(|user| may_be_banned(user.as_ref(), now)) => {
                Err(Error::UserBanned)
            }
            Some(_) => Err(Error::SessionRevoked),
            None => match changed {
                None => Ok(None),
                // The change is unknown: the user may have lost its role.
                Some(None) => Err(Error::TokenStale),
                Some(Some(user)) => Ok(Some(UserNow {
                    version: user.version,
                    claims: user.claims.clone(),
                    changed_at: user.changed_at,
                })),
            },
        }
    }

    /// Returns the users who changed.
    pub(super) fn changed(&self) -> Vec<UserId> {
        self.changed.keys().copied().collect()
    }

    /// Iterates over all entries in force, with their expiry.
    pub(super) fn in_force(&self, now: Instant) -> impl Iterator<Item = (Revocation, Instant)> {
        let sessions = self
            .sessions
            .iter()
            .map(|(id, ended)| (Revocation::Session { id: *id, reason: ended.what }, ended.until));
        let users = self.users.iter().map(|(id, user)| {
            let MinEpoch { epoch, reason } = user.what;
            (Revocation::User { id: *id, min_epoch: epoch, reason }, user.until)
        });
        let changed =
            self.changed.iter().map(|(id, changed)| (Revocation::UserChanged { id: *id }, changed.until));
        let keys = self.keys.iter().map(|keys| (Revocation::KeysChanged, keys.until));
        sessions.chain(users).chain(changed).chain(keys).filter(move |(_, until)| *until > now)
    }

    /// Adds entries and the users that they name. Expired entries are searched for at intervals.
    pub(super) fn apply(
        &mut self,
        now: Instant,
        until: Instant,
        entries: &[FeedEntry],
        users: Vec<UserRead>,
    ) {
        let mut changed = HashSet::new();
        for entry in entries {
            match entry.revocation {
                Revocation::Session { id, reason } => {
                    self.sessions.insert(id, Remembered { until, what: reason });
                }
                Revocation::User { id, min_epoch, reason } => {
                    self.raise_epoch(id, until, MinEpoch { epoch: min_epoch, reason });
                }
                Revocation::UserChanged { id } => {
                    changed.insert(id);
                }
                // The follower reloads the keys.
                Revocation::KeysChanged => self.keys = Some(Remembered { until, what: () }),
            }
        }
        for (id, read) in users {
            if changed.contains(&id) {
                self.overlay(id, until, read.map(|(user, claims)| ChangedUser::of(user, claims)));
            }
        }
        if self.forgotten_at.is_none_or(|at| at + FORGET_EVERY <= now) {
            self.forget(now);
        }
    }

    /// Replaces the changed users by their rows, whatever the versions: a restored database may have lower versions.
    pub(super) fn replace_changed(&mut self, users: Vec<UserRead>) {
        for (id, read) in users {
            if let Some(changed) = self.changed.get_mut(&id) {
                changed.what = read.map(|(user, claims)| ChangedUser::of(user, claims));
            }
        }
    }

    fn raise_epoch(&mut self, id: UserId, until: Instant, to: MinEpoch) {
        let entry = self.users.entry(id).or_insert(Remembered { until, what: to });
        entry.until = entry.until.max(until);
        if entry.what.epoch < to.epoch {
            entry.what = to;
        }
    }

    /// A poll that began before a change of this replica must not undo it.
    fn overlay(&mut self, id: UserId, until: Instant, what: Option<ChangedUser>) {
        let entry = self.changed.entry(id).or_insert_with(|| Remembered { until, what: what.clone() });
        entry.until = entry.until.max(until);
        let is_older = match (&what, &entry.what) {
            (Some(what), Some(known)) => what.version < known.version,
            _ => false,
        };
        if !is_older {
            entry.what = what;
        }
    }

    fn forget(&mut self, now: Instant) {
        self.forgotten_at = Some(now);
        forget_expired(&mut self.sessions, now);
        forget_expired(&mut self.users, now);
        forget_expired(&mut self.changed, now);
    }
}

fn forget_expired<K: Eq + Hash, T>(map: &mut HashMap<K, Remembered<T>>, now: Instant) {
    map.retain(|_, entry| entry.until > now);
    if map.capacity() / SPARE_ROOM > map.len() {
        map.shrink_to(map.len() * 2);
    }
}
