//! How long a test goes on: short in every run, long where `SOAK` is set, as `just soak` does.

/// How many times: `long` where `SOAK` is set.
pub fn soak(short: usize, long: usize) -> usize {
    if std::env::var_os("SOAK").is_some_and(|value| !value.is_empty()) { long } else { short }
}
