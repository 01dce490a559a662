//! Randomness as a dependency, and random delays.

use std::time::Duration;

/// A source of random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's random number generator, through AWS-LC.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws random bytes")]
    #[expect(clippy::expect_used, reason = "a machine without randomness must not go on")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Returns `N` random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Returns a duration between `least` and `most`, chosen by `noise`. It keeps replicas from doing periodic work in
/// step.
#[must_use]
pub fn spread(least: Duration, most: Duration, noise: [u8; 2]) -> Duration {
    let share = f64::from(u16::from_le_bytes(noise)) / f64::from(u16::MAX);
    least + most.saturating_sub(least).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_spread_from_the_least_to_the_most() {
        let [least, most] = [4, 10].map(Duration::from_secs);
        assert_eq!([[0, 0], [255, 255]].map(|noise| spread(least, most, noise)), [least, most]);
        assert_eq!(spread(most, most, [1, 2]), most);
    }
}
