//! The time by which rows may be removed. If one machine removes rows after its clock jumped, the whole fleet loses
//! them. Therefore another clock must confirm this machine's clock. It is the database's or, if both are one machine,
//! the monotonic timer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::{Clock, SuspendAwareInstant, Timestamp};
use crate::storage::error::StoreResult;
use crate::storage::traits::DatabaseClock;

/// The minimum leeway between two correct clocks: both have millisecond precision, and an answer takes time.
const LEAST_LEEWAY: Duration = Duration::from_secs(1);

/// The pause after a clock jump if no other clock can confirm the time: long enough for an operator to see the warning.
const REST_AFTER_JUMP: Duration = Duration::from_hours(24);

/// This machine's clock, compared with another.
pub struct TrustedClock {
    database: Arc<dyn DatabaseClock>,
    clock: Arc<dyn Clock>,
    leeway: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    last: SuspendAwareInstant,
    /// The time of the last clock jump.
    jumped: Option<SuspendAwareInstant>,
    warned: bool,
}

impl TrustedClock {
    /// Makes a clock whose leeway is the tolerated skew from the database's clock.
    #[must_use]
    pub fn new(database: Arc<dyn DatabaseClock>, clock: Arc<dyn Clock>, leeway: Duration) -> Self {
        let seen = Mutex::new(Seen { last: SuspendAwareInstant::now(), jumped: None, warned: false });
        Self { database, clock, leeway: leeway.max(LEAST_LEEWAY), seen }
    }

    /// Returns the time by which rows may be removed: `now`, or earlier by the skew if this clock is ahead of the
    /// database. Returns `None`, with a warning, while the skew exceeds the leeway or the clock has jumped recently.
    pub async fn settle(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let offset_ms = clock_offset_ms(&*self.database, &*self.clock).await?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = match offset_ms {
            Some(offset_ms) => self.allows(offset_ms),
            None => seen.is_steady(SuspendAwareInstant::now(), self.leeway),
        };
        if !steady && !seen.warned {
            tracing::warn!(offset_ms, "clock skew detected; cleanup paused");
        }
        seen.warned = !steady;
        let ahead_ms = u64::try_from(offset_ms.unwrap_or(0)).unwrap_or(0);
        Ok(steady.then(|| now.minus(Duration::from_millis(ahead_ms))))
    }
}

impl TrustedClock {
    /// Returns true if this clock agrees with the database's, within the leeway; always true if both are one machine.
    pub async fn agrees(&self) -> StoreResult<bool> {
        let offset_ms = clock_offset_ms(&*self.database, &*self.clock).await?;
        Ok(offset_ms.is_none_or(|offset_ms| self.allows(offset_ms)))
    }

    fn allows(&self, offset_ms: i64) -> bool {
        Duration::from_millis(offset_ms.unsigned_abs()) <= self.leeway
    }
}

impl Seen {
    fn is_steady(&mut self, now: SuspendAwareInstant, leeway: Duration) -> bool {
        if now.disagreement_since(self.last) > leeway {
            self.jumped = Some(now);
        }
        self.last = now;
        self.jumped.is_none_or(|jumped| now.since(jumped) > REST_AFTER_JUMP)
    }
}

/// Returns this clock minus the database's, at the middle of the query, in milliseconds; `None` if both are one
/// machine.
pub async fn clock_offset_ms(database: &dyn DatabaseClock, clock: &dyn Clock) -> StoreResult<Option<i64>> {
    let before = clock.now().millis();
    let Some(theirs) = database.database_time().await? else { return Ok(None) };
    let after = clock.now().millis();
    Ok(Some(before + (after - before) / 2 - theirs.millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEEWAY: Duration = Duration::from_secs(10);
    const ROUND: Duration = Duration::from_mins(5);

    fn seen(last: SuspendAwareInstant) -> Seen {
        Seen { last, jumped: None, warned: false }
    }

    #[test]
    fn a_clock_in_step_with_the_timer_stays_steady() {
        let mut now = SuspendAwareInstant::now();
        let mut seen = seen(now);
        for _ in 0..1000 {
            // A second in each round: a correct clock that is slewed.
            now = now.plus(ROUND).with_clock_moved(1000);
            assert!(seen.is_steady(now, LEEWAY));
        }
    }

    #[test]
    fn a_clock_that_jumped_removes_nothing_for_a_day() {
        for jump in [7_200_000, 400 * 86_400_000, -7_200_000, 10_001] {
            let begin = SuspendAwareInstant::now();
            let mut seen = seen(begin);
            let jumped = begin.plus(ROUND).with_clock_moved(jump);
            assert!(!seen.is_steady(jumped, LEEWAY), "{jump}");
            assert!(!seen.is_steady(jumped.plus(ROUND), LEEWAY), "{jump}");
            assert!(!seen.is_steady(jumped.plus(REST_AFTER_JUMP), LEEWAY), "{jump}");
            assert!(seen.is_steady(jumped.plus(REST_AFTER_JUMP + ROUND), LEEWAY), "{jump}");
        }
    }

    #[test]
    fn a_clock_that_jumps_again_rests_again() {
        let begin = SuspendAwareInstant::now();
        let mut seen = seen(begin);
        let ahead = begin.plus(ROUND).with_clock_moved(400 * 86_400_000);
        assert!(!seen.is_steady(ahead, LEEWAY));
        let back = ahead.plus(ROUND).with_clock_moved(-400 * 86_400_000);
        assert!(!seen.is_steady(back, LEEWAY));
        assert!(!seen.is_steady(back.plus(REST_AFTER_JUMP), LEEWAY));
    }
}
