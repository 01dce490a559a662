//! Signing keys as stored in the database, and the state of each at a given time. The state is a pure function of their
//! times, so replicas agree on it without communication. All keys form one succession, whatever their algorithms. A key
//! signs from its `not_before` until that of the next one, and verifies while one of its tokens can be valid.

use std::time::Duration;

use super::time::Timestamp;

/// The time between publication and first use of a key, so that clients have reloaded a cached key set by then.
/// Gatepass allows caching for 5 minutes; Istio caches for 20.
pub const PUBLISHED_BEFORE: Duration = Duration::from_mins(25);

/// The longest lifetime of an access token under any configuration.
pub const LONGEST_TOKEN: Duration = Duration::from_hours(1);

/// A signing key as stored in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its `kid`.
    pub kid: String,
    /// Its algorithm (RFC 7518 name).
    pub algorithm: String,
    /// Its place in the succession, unique within an algorithm.
    pub generation: i64,
    /// Time at which it begins to sign.
    pub not_before: Timestamp,
    /// Time of its creation.
    pub created_at: Timestamp,
    /// The sealed key pair; `None` if the key was revoked and only its place in the succession remains.
    pub sealed: Option<Vec<u8>>,
}

/// The state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The key is published and will sign later.
    Next,
    /// The key signs.
    Signs,
    /// The key no longer signs, but its tokens are still accepted.
    Verifies {
        /// Time at which it retires.
        until: Timestamp,
    },
    /// All its tokens have expired; it is rejected.
    Retired,
    /// The key was revoked; it is rejected.
    Revoked,
}

/// All keys, newest first.
#[derive(Debug, Clone, Default)]
pub struct Succession {
    newest_first: Vec<KeyRecord>,
    verifies_for: Duration,
}

impl Succession {
    /// Creates the succession of these records; `leeway` is the clock skew tolerated.
    #[must_use]
    pub fn new(mut records: Vec<KeyRecord>, leeway: Duration) -> Self {
        records
            .sort_by(|a, b| (b.not_before, b.generation, &b.kid).cmp(&(a.not_before, a.generation, &a.kid)));
        Self { newest_first: records, verifies_for: LONGEST_TOKEN + leeway }
    }

    /// Tells whether no key was ever created.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.newest_first.is_empty()
    }

    /// Returns all keys and their states, newest first.
    pub fn states(&self, now: Timestamp) -> impl Iterator<Item = (&KeyRecord, KeyState)> {
        self.newest_first.iter().enumerate().map(move |(place, record)| (record, self.state(place, now)))
    }

    /// Returns the keys that sign, will sign or verify, newest first. Each comes with its retirement time, if known.
    pub fn living(&self, now: Timestamp) -> impl Iterator<Item = (&KeyRecord, Option<Timestamp>)> {
        let lives =
            move |place: &usize| !matches!(self.state(*place, now), KeyState::Retired | KeyState::Revoked);
        let places = (0..self.newest_first.len()).filter(lives);
        places.map(|place| (&self.newest_first[place], self.retires_at(place)))
    }

    /// Returns the key that signs. `None` if the current key was revoked or is missing.
    #[must_use]
    pub fn signing(&self, now: Timestamp) -> Option<&KeyRecord> {
        self.states(now).find(|(_, state)| *state == KeyState::Signs).map(|(record, _)| record)
    }

    /// Returns the key that signs next; the earliest if there are several.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<&KeyRecord> {
        self.states(now).filter(|(_, state)| *state == KeyState::Next).last().map(|(record, _)| record)
    }

    /// Returns the time at which the next key must begin to sign, if it is due for creation. If no key signs, that is
    /// now. A key is due for replacement at the age of `rotation`, or if `algorithm` is given and differs from its own.
    #[must_use]
    pub fn due(&self, now: Timestamp, rotation: Duration, algorithm: Option<&str>) -> Option<Timestamp> {
        if self.next(now).is_some() {
            return None;
        }
        let Some(signing) = self.signing(now) else { return Some(now) };
        let next_begins = now.plus(PUBLISHED_BEFORE);
        let is_old = signing.not_before.plus(rotation) <= next_begins;
        let is_of_another = algorithm.is_some_and(|wanted| wanted != signing.algorithm);
        (is_old || is_of_another).then_some(next_begins)
    }

    /// Returns the generation of a key created now.
    #[must_use]
    pub fn next_generation(&self) -> i64 {
        self.newest_first.iter().map(|record| record.generation).max().unwrap_or(0).saturating_add(1)
    }

    fn state(&self, place: usize, now: Timestamp) -> KeyState {
        let record = &self.newest_first[place];
        match self.retires_at(place) {
            _ if record.sealed.is_none() => KeyState::Revoked,
            Some(at) if at <= now => KeyState::Retired,
            _ if record.not_before > now => KeyState::Next,
            Some(until) if self.newest_first[place - 1].not_before <= now => KeyState::Verifies { until },
            Some(_) | None => KeyState::Signs,
        }
    }

    /// Returns the time at which a key retires: a fixed time after its successor began, even if that was revoked since.
    fn retires_at(&self, place: usize) -> Option<Timestamp> {
        let successor = place.checked_sub(1).map(|place| &self.newest_first[place]);
        successor.map(|successor| successor.not_before.plus(self.verifies_for))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use KeyState::{Next, Retired, Revoked, Signs, Verifies};

    const LEEWAY: Duration = Duration::from_secs(10);
    const MINUTE: i64 = 60_000;
    /// Time between a key's retirement and the start of its successor.
    const TAIL: i64 = 60 * MINUTE + 10_000;

    fn record(generation: i64, not_before: i64) -> KeyRecord {
        KeyRecord {
            kid: format!("k{generation}"),
            algorithm: "ES256".to_owned(),
            generation,
            not_before: Timestamp(not_before),
            created_at: Timestamp(0),
            sealed: Some(Vec::new()),
        }
    }

    fn revoked(generation: i64, not_before: i64) -> KeyRecord {
        KeyRecord { sealed: None, ..record(generation, not_before) }
    }

    fn until(at: i64) -> KeyState {
        Verifies { until: Timestamp(at) }
    }

    #[test]
    fn the_state_of_a_key_follows_from_its_times() {
        let three = [record(1, 0), record(2, 100 * MINUTE), record(3, 300 * MINUTE)];
        let second_revoked = [record(1, 0), revoked(2, 100 * MINUTE), record(3, 150 * MINUTE)];
        let rows: [(&[KeyRecord], i64, &[KeyState]); 14] = [
            (&[], 0, &[]),
            (&three[..1], -1, &[Next]),
            (&three[..1], 0, &[Signs]),
            (&three[..1], i64::MAX, &[Signs]),
            (&three[..2], 100 * MINUTE - 1, &[Signs, Next]),
            (&three[..2], 100 * MINUTE, &[until(100 * MINUTE + TAIL), Signs]),
            (&three[..2], 100 * MINUTE + TAIL - 1, &[until(100 * MINUTE + TAIL), Signs]),
            (&three[..2], 100 * MINUTE + TAIL, &[Retired, Signs]),
            (&three, 200 * MINUTE, &[Retired, Signs, Next]),
            (&three, 300 * MINUTE, &[Retired, until(300 * MINUTE + TAIL), Signs]),
            // Revoking the successor neither restores a key nor lets another one sign.
            (&second_revoked, 120 * MINUTE, &[until(100 * MINUTE + TAIL), Revoked, Next]),
            (&second_revoked, 150 * MINUTE, &[until(100 * MINUTE + TAIL), Revoked, Signs]),
            (&second_revoked, 170 * MINUTE, &[Retired, Revoked, Signs]),
            // Of two keys that begin at the same moment, the one with the higher generation signs.
            (&[record(1, 0), record(2, 0)], 0, &[until(TAIL), Signs]),
        ];
        for (records, now, wanted) in rows {
            // The order of reading does not matter.
            for records in [records.to_vec(), records.iter().rev().cloned().collect()] {
                let succession = Succession::new(records, LEEWAY);
                let mut states: Vec<_> = succession.states(Timestamp(now)).map(|(_, state)| state).collect();
                states.reverse();
                assert_eq!(states, wanted, "{succession:?} at {now}");
            }
        }
    }

    #[test]
    fn the_next_key_is_due_when_the_lead_before_the_rotation_begins() {
        type Row<'a> = (&'a [KeyRecord], i64, Option<&'a str>, Option<i64>);
        let (lead, day) = (25 * MINUTE, 24 * 60 * MINUTE);
        let rotation = Duration::from_hours(24);
        let one = [record(1, 0), record(2, day)];
        let rows: [Row<'_>; 12] = [
            (&[], 7, None, Some(7)),
            (&one[..1], 0, None, None),
            (&one[..1], day - lead - 1, None, None),
            (&one[..1], day - lead, None, Some(day)),
            (&one[..1], 3 * day, None, Some(3 * day + lead)),
            (&one, day - lead, None, None),
            (&one, 2 * day - lead, None, Some(2 * day)),
            (&one[..1], 5, Some("ES256"), None),
            (&one[..1], 5, Some("EdDSA"), Some(5 + lead)),
            (&one, day - lead, Some("EdDSA"), None),
            (&[record(1, 0), revoked(2, 3)], 5, None, Some(5)),
            // A key that another replica's clock has just created is waited for.
            (&[record(1, 9)], 5, None, None),
        ];
        for (records, now, algorithm, wanted) in rows {
            let succession = Succession::new(records.to_vec(), LEEWAY);
            let due = succession.due(Timestamp(now), rotation, algorithm);
            assert_eq!(due, wanted.map(Timestamp), "{records:?} at {now}");
        }
    }

    #[test]
    fn the_retirement_time_is_known_before_the_successor_signs() {
        let succession = Succession::new(vec![record(1, 0), record(2, 100), revoked(3, 50)], LEEWAY);
        let living: Vec<_> = succession.living(Timestamp(60)).map(|(key, at)| (key.generation, at)).collect();
        assert_eq!(living, [(2, None), (1, Some(Timestamp(50 + TAIL)))]);
        assert_eq!(succession.next(Timestamp(60)).map(|key| key.generation), Some(2));
        assert_eq!(succession.signing(Timestamp(60)), None);
        assert_eq!(succession.next_generation(), 4);
    }
}
