//! The entries of the feed that are in force, in commit order, so that a stream continues from any place without a
//! query.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::position::{Gone, Position};
use crate::model::{FeedEntry, Revocation, Timestamp};

/// A queue shrinks if it has more unused places than this, and more than it uses.
const SPARE_ROOM: usize = 4096;

/// The entries in force by their place.
#[derive(Debug)]
pub(super) struct Order {
    generation: u32,
    /// The place before the first kept entry.
    base: Position,
    entries: VecDeque<FeedEntry>,
    /// The expiry of the entries, by the read that added them; an entry needs no expiry of its own.
    readings: VecDeque<Reading>,
    /// The last entry that was read; it is kept after it has expired.
    last: Option<FeedEntry>,
    head: Position,
    /// The revocations from before the feed was replaced; they have no place in it.
    carried: HashMap<Revocation, Carried>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    through: i64,
    until: Instant,
}

/// The expiry of a revocation without a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carried {
    /// By the monotonic timer.
    pub(super) until: Instant,
    /// By the clock, for clients.
    pub(super) until_clock: Timestamp,
}

impl Default for Order {
    fn default() -> Self {
        Self::new(0, HashMap::new())
    }
}

impl Order {
    fn new(generation: u32, carried: HashMap<Revocation, Carried>) -> Self {
        let start = Position::start(generation);
        Self {
            generation,
            base: start,
            entries: VecDeque::new(),
            readings: VecDeque::new(),
            last: None,
            head: start,
            carried,
        }
    }

    /// The last entry that was read.
    pub(super) fn last(&self) -> Option<FeedEntry> {
        self.last
    }

    /// Appends entries, and drops expired ones. An entry without a place, or already known, changes nothing.
    pub(super) fn append(&mut self, now: Instant, until: Instant, read: &[FeedEntry]) {
        self.forget(now);
        let known = self.head.seq();
        for entry in read {
            if entry.seq > self.last.map_or(0, |last| last.seq) {
                self.carried.remove(&entry.revocation);
                self.entries.push_back(*entry);
                self.last = Some(*entry);
            }
        }
        if let Some(last) = self.last.filter(|last| last.seq > known) {
            self.head = Position::of(&last, self.generation);
            self.readings.push_back(Reading { through: last.seq, until });
        }
    }

    /// Starts over with a replaced feed. Every earlier position becomes invalid.
    pub(super) fn begin_again(&mut self, carried: HashMap<Revocation, Carried>) {
        *self = Self::new(self.generation.wrapping_add(1), carried);
    }

    /// Returns all entries in force, and the place from which to continue. Entries without a place come first, with
    /// number 0.
    pub(super) fn snapshot(&self, now: Instant) -> (Vec<FeedEntry>, Position) {
        let carried = self.carried.iter().filter(|(_, carried)| carried.until > now);
        let carried = carried.map(|(revocation, carried)| FeedEntry {
            seq: 0,
            until: carried.until_clock,
            revocation: *revocation,
        });
        let in_force = self.entries.range(self.expired(now)..).copied();
        (carried.chain(in_force).collect(), self.head)
    }

    /// Returns the entries in force after a place, and the place from which to continue.
    pub(super) fn since(&self, now: Instant, position: Position) -> Result<(Vec<FeedEntry>, Position), Gone> {
        if position == self.head {
            return Ok((Vec::new(), self.head));
        }
        let next = self.place_after(position)?.max(self.expired(now));
        Ok((self.entries.range(next..).copied().collect(), self.head))
    }

    fn place_after(&self, position: Position) -> Result<usize, Gone> {
        if position == self.base {
            return Ok(0);
        }
        let place =
            self.entries.binary_search_by_key(&position.seq(), |entry| entry.seq).map_err(|_| Gone)?;
        if Position::of(&self.entries[place], self.generation) == position {
            Ok(place + 1)
        } else {
            Err(Gone)
        }
    }

    /// Counts the expired entries that are still kept.
    fn expired(&self, now: Instant) -> usize {
        let readings = self.readings.partition_point(|reading| reading.until <= now);
        let Some(last) = readings.checked_sub(1) else { return 0 };
        let through = self.readings[last].through;
        self.entries.partition_point(|entry| entry.seq <= through)
    }

    fn forget(&mut self, now: Instant) {
        if let Some(last) = self.entries.drain(..self.expired(now)).next_back() {
            self.base = Position::of(&last, self.generation);
        }
        while self.readings.pop_front_if(|reading| reading.until <= now).is_some() {}
        self.carried.retain(|_, carried| carried.until > now);
        give_back(&mut self.entries);
        give_back(&mut self.readings);
    }
}

fn give_back<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > 3 * queue.len() + SPARE_ROOM {
        queue.shrink_to(2 * queue.len());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{EndReason, SessionId};

    const HOUR: Duration = Duration::from_hours(1);

    fn entry(seq: i64, session: u128) -> FeedEntry {
        let id = SessionId(uuid::Uuid::from_u128(session));
        FeedEntry {
            seq,
            until: Timestamp(0),
            revocation: Revocation::Session { id, reason: EndReason::Revoked },
        }
    }

    /// Reads entries one minute apart, one at a time, each kept for an hour.
    fn read(order: &mut Order, begin: Instant, entries: &[FeedEntry]) {
        for (minute, entry) in (0..).zip(entries) {
            let now = begin + Duration::from_mins(minute);
            order.append(now, now + HOUR, &[*entry]);
        }
    }

    #[test]
    fn entries_are_sent_in_order_from_any_position() {
        let (mut order, begin) = (Order::default(), Instant::now());
        let all = [entry(3, 3), entry(4, 4), entry(7, 7)];
        let (none, mut position) = order.snapshot(begin);
        assert!(none.is_empty());
        let start = position;
        for entry in all {
            read(&mut order, begin, &[entry]);
            let told = order.since(begin, position).unwrap();
            assert_eq!(told.0, [entry]);
            position = told.1;
        }
        assert_eq!(order.since(begin, start).unwrap(), (all.to_vec(), position));
        assert_eq!(order.since(begin, Position::of(&all[0], 0)).unwrap(), (all[1..].to_vec(), position));
        assert_eq!(order.since(begin, position).unwrap(), (Vec::new(), position));
        assert_eq!(order.snapshot(begin), (all.to_vec(), position));
    }

    #[test]
    fn an_entry_that_is_heard_twice_or_has_no_place_changes_nothing() {
        let (mut order, begin) = (Order::default(), Instant::now());
        read(&mut order, begin, &[entry(1, 1), entry(2, 2)]);
        let told = order.snapshot(begin);
        order.append(begin, begin + HOUR, &[entry(0, 3), entry(1, 1), entry(2, 2)]);
        assert_eq!(order.snapshot(begin), told);
        assert_eq!(order.readings.len(), 2);
    }

    #[test]
    fn a_position_is_gone_if_its_entry_was_replaced_or_is_missing() {
        let (mut order, begin) = (Order::default(), Instant::now());
        read(&mut order, begin, &[entry(1, 1), entry(3, 3)]);
        for unknown in [entry(1, 9), entry(2, 2), entry(3, 9), entry(4, 4)] {
            assert_eq!(order.since(begin, Position::of(&unknown, 0)), Err(Gone), "{unknown:?}");
        }
        assert_eq!(order.since(begin, Position::of(&entry(1, 1), 1)), Err(Gone), "of another feed");
    }

    #[test]
    fn entries_expire_and_with_them_the_positions_before_the_last_that_did() {
        let (mut order, begin) = (Order::default(), Instant::now());
        let all = [entry(1, 1), entry(2, 2), entry(3, 3)];
        let start = order.snapshot(begin).1;
        read(&mut order, begin, &all);
        // The second has expired; nothing was read since, so both are still kept.
        let now = begin + HOUR + Duration::from_mins(1);
        assert_eq!(order.snapshot(now).0, all[2..]);
        assert_eq!(order.since(now, start).unwrap().0, all[2..]);
        order.append(now, now + HOUR, &[entry(4, 4)]);
        let left = [all[2], entry(4, 4)];
        assert_eq!(order.entries, left);
        assert_eq!(order.since(now, start), Err(Gone));
        assert_eq!(order.since(now, Position::of(&all[0], 0)), Err(Gone));
        assert_eq!(order.since(now, Position::of(&all[1], 0)).unwrap().0, left, "nothing is missed after it");
    }

    #[test]
    fn an_up_to_date_follower_continues_after_an_idle_time() {
        let (mut order, begin) = (Order::default(), Instant::now());
        read(&mut order, begin, &[entry(1, 1)]);
        let (_, position) = order.snapshot(begin);
        let later = begin + HOUR * 5;
        assert_eq!(order.since(later, position).unwrap(), (Vec::new(), position));
        order.append(later, later + HOUR, &[entry(2, 2)]);
        assert_eq!(order.since(later, position).unwrap().0, [entry(2, 2)]);
    }

    #[test]
    fn room_for_many_entries_is_given_back() {
        let (mut order, begin) = (Order::default(), Instant::now());
        let many: Vec<_> = (1..=100_000).map(|seq| entry(seq, 1)).collect();
        order.append(begin, begin + HOUR, &many);
        order.append(begin + HOUR, begin + HOUR * 2, &[entry(100_001, 1)]);
        assert_eq!(order.entries.len(), 1);
        assert!(order.entries.capacity() <= 3 + SPARE_ROOM);
    }
}
