//! The one retry policy: a step that lost to a concurrent writer reads again and is repeated.

/// The number of attempts of a step; after them the call fails with [`Error::Conflict`](super::error::Error::Conflict).
/// Each failed attempt means that another writer succeeded.
pub(super) const ATTEMPTS: u32 = 8;
