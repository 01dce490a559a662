//! The revocation index of this replica: a projection of the feed. Every `GetSession` queries it, and streams receive
//! it in order. A change on this replica takes effect immediately, a change elsewhere with the next poll.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::known::{Known, UserNow, UserRead};
use super::order::{Carried, Order};
use super::position::{Gone, Position};
use crate::auth::error::Result;
use crate::model::{FeedEntry, SessionId, SuspendAwareInstant, Timestamp, UserId};

/// The revocations in force, by subject and by their place in the feed.
#[derive(Debug, Default)]
pub struct Revocations {
    known: RwLock<Known>,
    /// Has its own lock, so that streams do not slow down `GetSession`.
    order: RwLock<Order>,
    checked: RwLock<Option<Checked>>,
}

#[derive(Debug, Clone, Copy)]
struct Checked {
    by_clock: Timestamp,
    began: SuspendAwareInstant,
}

impl Revocations {
    /// Rejects a session that was ended or has a lower epoch; returns the current state of its user if that changed.
    pub fn check(
        &self,
        session_id: SessionId,
        user_id: UserId,
        epoch: i64,
        now: Timestamp,
    ) -> Result<Option<UserNow>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.check(session_id, user_id, epoch, now)
    }

    /// Returns all revocations in force, and the position from which to continue.
    ///
    /// A change of this replica is included once the feed has been polled. Revocations that a restored database has
    /// lost are still included, with `seq` 0.
    #[must_use]
    pub fn snapshot(&self) -> (Vec<FeedEntry>, Position) {
        self.snapshot_at(Instant::now())
    }

    fn snapshot_at(&self, now: Instant) -> (Vec<FeedEntry>, Position) {
        self.order.read().unwrap_or_else(PoisonError::into_inner).snapshot(now)
    }

    /// Returns the revocations after a position in commit order, and the position from which to continue.
    pub fn since(&self, position: Position) -> std::result::Result<(Vec<FeedEntry>, Position), Gone> {
        self.since_at(Instant::now(), position)
    }

    fn since_at(
        &self,
        now: Instant,
        position: Position,
    ) -> std::result::Result<(Vec<FeedEntry>, Position), Gone> {
        self.order.read().unwrap_or_else(PoisonError::into_inner).since(now, position)
    }

    /// Returns the time of the last complete read of the feed and its age, including time that the machine was
    /// suspended.
    #[must_use]
    pub fn checked(&self) -> Option<(Timestamp, Duration)> {
        let checked = *self.checked.read().unwrap_or_else(PoisonError::into_inner);
        checked.map(|checked| (checked.by_clock, checked.began.elapsed()))
    }

    /// Returns true if a read of the feed that began at this time or later has ended.
    pub(super) fn checked_since(&self, then: SuspendAwareInstant) -> bool {
        let checked = *self.checked.read().unwrap_or_else(PoisonError::into_inner);
        checked.is_some_and(|checked| checked.began >= then)
    }

    /// Records a complete read of the feed. Of two reads, the one that began later counts.
    pub fn note_checked(&self, by_clock: Timestamp, began: SuspendAwareInstant) {
        let mut checked = self.checked.write().unwrap_or_else(PoisonError::into_inner);
        if checked.is_none_or(|known| known.began <= began) {
            *checked = Some(Checked { by_clock, began });
        }
    }

    /// Returns the last entry of the feed that has been read; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<FeedEntry> {
        self.order.read().unwrap_or_else(PoisonError::into_inner).last()
    }

    /// Returns the users who are known to have changed.
    #[must_use]
    pub fn changed(&self) -> Vec<UserId> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).changed()
    }

    /// Treats the feed as unread, but keeps all known revocations. Every position becomes invalid.
    ///
    /// The given users replace their known state. `now` is the time by the clock.
    pub fn begin_again(&self, users: Vec<UserRead>, now: Timestamp) {
        self.begin_again_at(Instant::now(), users, now);
    }

    fn begin_again_at(&self, now: Instant, users: Vec<UserRead>, by_clock: Timestamp) {
        let carried = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.replace_changed(users);
            let in_force = known.in_force(now);
            in_force
                .map(|(revocation, until)| {
                    (revocation, Carried { until, until_clock: by_clock.plus(until - now) })
                })
                .collect()
        };
        self.order.write().unwrap_or_else(PoisonError::into_inner).begin_again(carried);
    }

    /// Adds entries and the users that they name, for the given time, and drops entries that no live token can match
    /// any more. Entries of this replica's own transactions have no place in the feed yet.
    pub fn apply(&self, entries: &[FeedEntry], users: Vec<UserRead>, remember: Duration) {
        self.apply_at(Instant::now(), entries, users, remember);
    }

    fn apply_at(&self, now: Instant, entries: &[FeedEntry], users: Vec<UserRead>, remember: Duration) {
        if entries.is_empty() {
            return;
        }
        let until = now + remember;
        self.known.write().unwrap_or_else(PoisonError::into_inner).apply(now, until, entries, users);
        // Last, so that a revocation is enforced here before a stream announces it.
        if entries.iter().any(|entry| entry.seq > 0) {
            self.order.write().unwrap_or_else(PoisonError::into_inner).append(now, until, entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::super::known::FORGET_EVERY;
    use super::*;
    use crate::model::{EndReason, OsEntropy, Revocation, SystemClock};

    const HOUR: Duration = Duration::from_hours(1);

    fn ended(id: SessionId) -> FeedEntry {
        // The `expires_at` of the row serves the database; by a clock that jumped it may already be over.
        FeedEntry {
            seq: 1,
            until: Timestamp(0),
            revocation: Revocation::Session { id, reason: EndReason::Revoked },
        }
    }

    #[test]
    fn known_revocations_become_stale_while_the_machine_sleeps() {
        let revocations = Revocations::default();
        revocations.note_checked(Timestamp(0), SuspendAwareInstant::now().with_clock_moved(-3_600_000));
        assert!(revocations.checked().unwrap().1 >= HOUR);
        let later = SuspendAwareInstant::now();
        revocations.note_checked(Timestamp(1), later);
        revocations.note_checked(Timestamp(0), later.with_clock_moved(-1));
        assert_eq!(
            revocations.checked().unwrap().0,
            Timestamp(1),
            "a reading that began sooner tells nothing new"
        );
    }

    #[test]
    fn revocations_are_kept_by_the_timer_not_the_clock() {
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

    /// A feed in a database, a replica that follows it, and streams that the replica serves.
    struct World {
        now: Instant,
        sessions: u128,
        feed: Vec<FeedEntry>,
        /// Revocations that this replica committed and whose places it does not know yet.
        local: HashMap<SessionId, Instant>,
        /// Revocations sent to streams.
        known: HashMap<SessionId, Instant>,
        revocations: Revocations,
        streams: [Stream; 3],
    }

    #[derive(Default)]
    struct Stream {
        position: Option<Position>,
        last: i64,
        heard: HashSet<SessionId>,
    }

    const PAGE: usize = 3;

    impl World {
        fn new() -> Self {
            Self {
                now: Instant::now(),
                sessions: 0,
                feed: Vec::new(),
                local: HashMap::new(),
                known: HashMap::new(),
                revocations: Revocations::default(),
                streams: Default::default(),
            }
        }

        fn commit(&mut self, here: bool) {
            self.sessions += 1;
            let id = SessionId(uuid::Uuid::from_u128(self.sessions));
            let seq = i64::try_from(self.feed.len()).unwrap() + 1;
            self.feed.push(FeedEntry { seq, ..ended(id) });
            if here {
                self.revocations.apply_at(self.now, &[FeedEntry { seq: 0, ..ended(id) }], Vec::new(), HOUR);
                self.local.insert(id, self.now + HOUR);
            }
        }

        /// Reads a page of the feed, as the follower does.
        fn poll(&mut self) {
            let last = self.revocations.last();
            let read = last.map_or(0, |last| usize::try_from(last.seq).unwrap() - 1);
            let page: Vec<_> = self.feed.iter().skip(read).take(PAGE).copied().collect();
            if last.is_some() && page.first() != last.as_ref() {
                self.revocations.begin_again_at(self.now, Vec::new(), Timestamp(0));
                self.known.extend(self.local.drain());
                return;
            }
            let news = &page[usize::from(last.is_some())..];
            self.revocations.apply_at(self.now, news, Vec::new(), HOUR);
            for entry in news {
                self.local.remove(&session(entry));
                self.known.insert(session(entry), self.now + HOUR);
            }
        }

        fn listen(&mut self, stream: usize) {
            let stream = &mut self.streams[stream];
            let since = stream.position.map(|position| self.revocations.since_at(self.now, position));
            let (told, position) = if let Some(Ok(told)) = since {
                told
            } else {
                stream.last = 0;
                self.revocations.snapshot_at(self.now)
            };
            for entry in told.iter().filter(|entry| entry.seq > 0) {
                assert!(entry.seq > stream.last, "doubled, or out of order: {entry:?}");
                stream.last = entry.seq;
            }
            stream.heard.extend(told.iter().map(session));
            stream.position = Some(position);
            for (id, _) in self.known.iter().filter(|(_, until)| **until > self.now) {
                assert!(stream.heard.contains(id), "lost: {id}");
            }
        }

        fn check(&self) {
            let user = UserId(uuid::Uuid::nil());
            for (id, until) in self.known.iter().chain(&self.local) {
                let refused = self.revocations.check(*id, user, 1, Timestamp(0)).is_err();
                assert!(refused || *until <= self.now, "accepted: {id}");
            }
            let told = self.revocations.snapshot_at(self.now).0;
            let in_force = self.known.iter().filter(|(_, until)| **until > self.now).map(|(id, _)| *id);
            assert_eq!(told.len(), told.iter().map(session).collect::<HashSet<_>>().len());
            assert_eq!(told.iter().map(session).collect::<HashSet<_>>(), in_force.collect());
        }
    }

    fn session(entry: &FeedEntry) -> SessionId {
        let Revocation::Session { id, .. } = entry.revocation else { panic!("{entry:?}") };
        id
    }

    proptest! {
        #[test]
        fn whatever_happens_between_them_streams_hear_all_and_nothing_twice(
            steps in prop::collection::vec((0..14_u8, 0..100_usize), 1..120),
        ) {
            let mut world = World::new();
            for (step, number) in steps {
                match step {
                    0..=3 => world.commit(step < 2),
                    4..=7 => world.poll(),
                    8..=11 => world.listen(number % 3),
                    12 => world.now += HOUR / 4,
                    _ => world.feed.truncate(world.feed.len() * number / 100),
                }
                world.check();
            }
        }
    }

    #[test]
    fn a_new_feed_invalidates_all_positions_and_keeps_known_revocations() {
        let (user, begin) = (UserId(uuid::Uuid::from_u128(1)), Instant::now());
        let revocations = Revocations::default();
        let (_, start) = revocations.snapshot_at(begin);
        let raised = |min_epoch| Revocation::User { id: user, min_epoch, reason: EndReason::Banned };
        let at = |seq, revocation| FeedEntry { seq, until: Timestamp(9), revocation };
        let lost =
            [at(1, raised(3)), at(2, Revocation::UserChanged { id: user }), at(3, Revocation::KeysChanged)];
        revocations.apply_at(begin, &lost, vec![(user, None)], HOUR);
        let (_, head) = revocations.snapshot_at(begin);
        revocations.begin_again_at(begin, Vec::new(), Timestamp(1000));
        assert_eq!(revocations.last(), None);
        let told = |now| {
            let entries = revocations.snapshot_at(now).0.into_iter();
            entries.map(|entry| (entry.seq, entry.until, entry.revocation)).collect::<HashSet<_>>()
        };
        let until = Timestamp(1000).plus(HOUR);
        assert_eq!(told(begin), lost.map(|entry| (0, until, entry.revocation)).into());
        // The first entry is in the new feed, too, and another entry is below a known epoch.
        let read = [lost[0], at(2, raised(2))];
        revocations.apply_at(begin, &read, Vec::new(), HOUR);
        for position in [start, head] {
            assert_eq!(revocations.since_at(begin, position), Err(Gone));
        }
        let carried = lost[1..].iter().map(|entry| (0, until, entry.revocation));
        let placed = read.iter().map(|entry| (entry.seq, entry.until, entry.revocation));
        assert_eq!(told(begin), carried.chain(placed).collect());
        assert!(revocations.check(SessionId(uuid::Uuid::nil()), user, 2, Timestamp(0)).is_err());
        assert_eq!(told(begin + HOUR), HashSet::new());
    }
}
