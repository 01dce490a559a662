//! The length of a test: short by default, long if `SOAK` is set, as `just soak` does.

/// Returns the number of repetitions: `long` if `SOAK` is set.
pub fn soak(short: usize, long: usize) -> usize {
    if std::env::var_os("SOAK").is_some_and(|value| !value.is_empty()) { long } else { short }
}
