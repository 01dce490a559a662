//! What this replica knows of revocations: ended sessions, raised epochs, and users that changed. A projection of
//! the feed, asked by every `GetSession`; a change made here holds at once, one made elsewhere when it is polled.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use crate::model::{Ban, EndReason, FeedEntry, Moment, Revocation, SessionId, Timestamp, User, UserId};
use crate::tokens::UserClaims;

/// Entries that no living token can be of are looked for this often: the look goes over all of them.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// The revocation list, the users' epochs and the overlay of changed users.
#[derive(Debug, Default)]
pub struct Revocations {
    known: RwLock<Known>,
    checked: RwLock<Option<Checked>>,
}

#[derive(Debug, Default)]
struct Known {
    last: Option<FeedEntry>,
    forgotten_at: Option<Instant>,
    sessions: HashMap<SessionId, Remembered<EndReason>>,
    users: HashMap<UserId, Remembered<MinEpoch>>,
    /// None: its row can't be read.
    changed: HashMap<UserId, Remembered<Option<ChangedUser>>>,
}

#[derive(Debug, Clone)]
struct Remembered<T> {
    /// By the timer: a clock that jumps must not bring back what was revoked.
    until: Instant,
    what: T,
}

#[derive(Debug, Clone, Copy)]
struct MinEpoch {
    epoch: i64,
    reason: EndReason,
}

/// A user whose row was read, and what tokens tell of it; none where the row is not what Gatepass writes.
pub type UserRead = (UserId, Option<(User, UserClaims)>);

/// A user who changed, as it is now.
#[derive(Debug, Clone)]
pub struct UserNow {
    /// Its version.
    pub version: i64,
    /// What tokens would tell of it.
    pub claims: UserClaims,
    /// When it last changed.
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

#[derive(Debug, Clone, Copy)]
struct Checked {
    by_clock: Timestamp,
    began: Moment,
}

impl Revocations {
    /// Refuses a session that was ended or is of a lower epoch; answers what its user is now, if that changed.
    pub fn check(
        &self,
        session_id: SessionId,
        user_id: UserId,
        epoch: i64,
        now: Timestamp,
    ) -> Result<Option<UserNow>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let changed = known.changed.get(&user_id).map(|changed| &changed.what);
        let ended = known.sessions.get(&session_id).map(|ended| ended.what);
        let below = known.users.get(&user_id).map(|user| user.what).filter(|user| epoch < user.epoch);
        match ended.or(below.map(|user| user.reason)) {
            // A ban that was lifted, or ran out, still ended the session.
            Some(EndReason::Banned) if changed.is_none_or(|user| may_be_banned(user.as_ref(), now)) => {
                Err(Error::UserBanned)
            }
            Some(_) => Err(Error::SessionRevoked),
            None => match changed {
                None => Ok(None),
                // It changed, and nobody can say to what: its role may be a lesser one.
                Some(None) => Err(Error::TokenStale),
                Some(Some(user)) => Ok(Some(UserNow {
                    version: user.version,
                    claims: user.claims.clone(),
                    changed_at: user.changed_at,
                })),
            },
        }
    }

    /// When the feed was last read, and how long ago that is, sleep of the machine included.
    #[must_use]
    pub fn checked(&self) -> Option<(Timestamp, Duration)> {
        let checked = *self.checked.read().unwrap_or_else(PoisonError::into_inner);
        checked.map(|checked| (checked.by_clock, checked.began.elapsed()))
    }

    /// Whether a reading of the feed that began then or later has come to its end.
    pub(super) fn checked_since(&self, then: Moment) -> bool {
        let checked = *self.checked.read().unwrap_or_else(PoisonError::into_inner);
        checked.is_some_and(|checked| checked.began >= then)
    }

    /// Notes that the feed was read to its end at a time before now. Of two readings the one that began later counts.
    pub fn note_checked(&self, by_clock: Timestamp, began: Moment) {
        let mut checked = self.checked.write().unwrap_or_else(PoisonError::into_inner);
        if checked.is_none_or(|known| known.began <= began) {
            *checked = Some(Checked { by_clock, began });
        }
    }

    /// The last entry of the feed that has been read; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<FeedEntry> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).last
    }

    /// The users who are known to have changed.
    #[must_use]
    pub fn changed(&self) -> Vec<UserId> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).changed.keys().copied().collect()
    }

    /// Takes the feed for unread, of which nothing that is known is forgotten. Of users it is the database that knows what
    /// they are now: their versions may have gone back with it.
    pub fn begin_again(&self, users: Vec<UserRead>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.last = None;
        for (id, read) in users {
            if let Some(changed) = known.changed.get_mut(&id) {
                changed.what = read.map(|(user, claims)| ChangedUser::of(user, claims));
            }
        }
    }

    /// Takes over entries and the users they name, to be remembered for so long from now on, and forgets what no living
    /// token can be of any more.
    pub fn apply(&self, entries: &[FeedEntry], users: Vec<UserRead>, remember: Duration) {
        self.apply_at(Instant::now(), entries, users, remember);
    }

    fn apply_at(&self, now: Instant, entries: &[FeedEntry], users: Vec<UserRead>, remember: Duration) {
        if entries.is_empty() {
            return;
        }
        let until = now + remember;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = HashSet::new();
        for entry in entries {
            if known.last.is_none_or(|last| last.seq < entry.seq) && entry.seq > 0 {
                known.last = Some(*entry);
            }
            match entry.revocation {
                Revocation::Session { id, reason } => {
                    known.sessions.insert(id, Remembered { until, what: reason });
                }
                Revocation::User { id, min_epoch, reason } => {
                    known.raise_epoch(id, until, MinEpoch { epoch: min_epoch, reason });
                }
                Revocation::UserChanged { id } => {
                    changed.insert(id);
                }
                // Whoever read the feed has read the ring anew.
                Revocation::KeysChanged => {}
            }
        }
        for (id, read) in users {
            if changed.contains(&id) {
                known.overlay(id, until, read.map(|(user, claims)| ChangedUser::of(user, claims)));
            }
        }
        if known.forgotten_at.is_none_or(|at| at + FORGET_EVERY <= now) {
            known.forget(now);
        }
    }
}

impl Known {
    fn raise_epoch(&mut self, id: UserId, until: Instant, to: MinEpoch) {
        let entry = self.users.entry(id).or_insert(Remembered { until, what: to });
        entry.until = entry.until.max(until);
        if entry.what.epoch < to.epoch {
            entry.what = to;
        }
    }

    /// A poll that began before a change of our own must not undo it.
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
        self.sessions.retain(|_, entry| entry.until > now);
        self.users.retain(|_, entry| entry.until > now);
        self.changed.retain(|_, entry| entry.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OsEntropy, SystemClock};

    const HOUR: Duration = Duration::from_hours(1);

    fn ended(id: SessionId) -> FeedEntry {
        // What the row says is for the database: by a clock that jumped it may be over already.
        FeedEntry {
            seq: 1,
            until: Timestamp(0),
            revocation: Revocation::Session { id, reason: EndReason::Revoked },
        }
    }

    #[test]
    fn what_is_known_grows_old_while_the_machine_sleeps() {
        let revocations = Revocations::default();
        revocations.note_checked(Timestamp(0), Moment::now().with_clock_moved(-3_600_000));
        assert!(revocations.checked().unwrap().1 >= HOUR);
        let later = Moment::now();
        revocations.note_checked(Timestamp(1), later);
        revocations.note_checked(Timestamp(0), later.with_clock_moved(-1));
        assert_eq!(
            revocations.checked().unwrap().0,
            Timestamp(1),
            "a reading that began sooner tells nothing new"
        );
    }

    #[test]
    fn what_was_revoked_is_remembered_by_the_timer() {
        let ids = || SessionId::mint(&SystemClock, &OsEntropy);
        let (user, first, second, third) = (UserId::mint(&SystemClock, &OsEntropy), ids(), ids(), ids());
        let revocations = Revocations::default();
        let is_ended = |id| revocations.check(id, user, 1, Timestamp(0)).is_err();
        let begin = Instant::now();
        revocations.apply_at(begin, &[ended(first)], Vec::new(), HOUR);
        revocations.apply_at(begin + FORGET_EVERY, &[ended(second)], Vec::new(), HOUR);
        assert!(is_ended(first) && is_ended(second));
        revocations.apply_at(begin + HOUR, &[ended(third)], Vec::new(), HOUR);
        assert!(!is_ended(first), "no token of it can live");
        assert!(is_ended(second) && is_ended(third));
    }
}
