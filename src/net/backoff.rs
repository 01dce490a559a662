//! Back-off between two attempts: the pause grows after each failure, up to a bound. Half of it is jitter, so that
//! clients that fail together do not retry together.

use std::time::Duration;

use crate::model::spread;

/// Pauses that double after each failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Makes pauses of at most `first` after the first failure, and of at most `longest` after many.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Computes the pause after a failure, by the number of failures before it and two random bytes.
    #[must_use]
    pub fn pause(&self, failures_before: u32, noise: [u8; 2]) -> Duration {
        let doubled = 2_u32.saturating_pow(failures_before);
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        spread(whole / 2, whole, noise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_half_of_each_is_left_to_chance() {
        let millis = Duration::from_millis;
        let backoff = Backoff::new(millis(100), millis(1000));
        let rows = [(0, 50, 100), (1, 100, 200), (3, 400, 800), (4, 500, 1000), (u32::MAX, 500, 1000)];
        for (failures, least, most) in rows {
            let pauses = [[0, 0], [255, 255]].map(|noise| backoff.pause(failures, noise));
            assert_eq!(pauses, [least, most].map(millis), "{failures}");
        }
    }

    #[test]
    fn a_first_pause_beyond_the_longest_is_the_longest() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new(second * 30, second).pause(0, [255, 255]), second);
    }
}
