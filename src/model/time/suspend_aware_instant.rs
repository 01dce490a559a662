//! Elapsed time on a machine that may be suspended. Suspension stops the monotonic timer, but not the wall clock. If
//! the wall clock was set back, it reports too little, and the timer's value is used.

use std::time::{Duration, Instant};

use super::clock::{Clock, SystemClock, Timestamp};

/// A point in time of this process, by both the monotonic timer and the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuspendAwareInstant {
    timer: Instant,
    clock: Timestamp,
}

impl SuspendAwareInstant {
    /// Returns the present.
    #[must_use]
    pub fn now() -> Self {
        Self { timer: Instant::now(), clock: SystemClock.now() }
    }

    /// Returns the time from `earlier` to this: the longer of timer and wall clock.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.timer.saturating_duration_since(earlier.timer).max(self.clock.since(earlier.clock))
    }

    /// Returns the time from this to now.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        Self::now().since(self)
    }

    /// Returns the difference between wall clock and timer since `earlier`: the clock was set, or the machine was
    /// suspended.
    #[must_use]
    pub fn disagreement_since(self, earlier: Self) -> Duration {
        let timed = self.timer.saturating_duration_since(earlier.timer);
        Duration::from_millis(self.clock.millis().abs_diff(earlier.clock.plus(timed).millis()))
    }

    /// Returns the instant after this duration, in which the machine was not suspended.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { timer: self.timer + by, clock: self.clock.plus(by) }
    }

    /// Returns the same instant with the wall clock moved, as after a suspension or a clock change.
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
    fn sleep_time_counts_and_a_clock_set_back_subtracts_nothing() {
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
