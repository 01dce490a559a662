//! Elapsed time on a machine that may have slept meanwhile: its timer stood still then, its clock did not. A clock that
//! was set back says too little, and then the timer decides.

use std::time::{Duration, Instant};

use super::clock::{Clock, SystemClock, Timestamp};

/// A point in time of this process, by the timer and by the system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuspendAwareInstant {
    timer: Instant,
    clock: Timestamp,
}

impl SuspendAwareInstant {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        Self { timer: Instant::now(), clock: SystemClock.now() }
    }

    /// The time between `earlier` and this: the longer of what timer and clock say.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.timer.saturating_duration_since(earlier.timer).max(self.clock.since(earlier.clock))
    }

    /// The time from this to now.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        Self::now().since(self)
    }

    /// The difference between clock and timer from `earlier` to this: the clock was set, or the machine slept.
    #[must_use]
    pub fn disagreement_since(self, earlier: Self) -> Duration {
        let timed = self.timer.saturating_duration_since(earlier.timer);
        Duration::from_millis(self.clock.millis().abs_diff(earlier.clock.plus(timed).millis()))
    }

    /// The instant after such a time, in which the machine was awake.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { timer: self.timer + by, clock: self.clock.plus(by) }
    }

    /// The same instant with the clock elsewhere by so much, as after a sleep or by another's hand.
    #[cfg(test)]
    pub(crate) fn with_clock_moved(self, by_ms: i64) -> Self {
        Self { clock: Timestamp(self.clock.millis() + by_ms), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn time_asleep_counts_and_a_clock_set_back_takes_nothing_away() {
        let begin = SuspendAwareInstant::now();
        let later = begin.plus(MINUTE);
        assert_eq!(later.since(begin), MINUTE);
        assert_eq!(later.with_clock_moved(HOUR_MS).since(begin), MINUTE * 61);
        assert_eq!(later.with_clock_moved(-HOUR_MS).since(begin), MINUTE);
        assert_eq!(begin.since(later), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_was_set_disagrees_with_the_timer() {
        let begin = SuspendAwareInstant::now();
        let later = begin.plus(MINUTE);
        assert_eq!(later.disagreement_since(begin), Duration::ZERO);
        for moved in [HOUR_MS, -HOUR_MS] {
            assert_eq!(later.with_clock_moved(moved).disagreement_since(begin), MINUTE * 60);
        }
    }
}
