//! The one retry policy: a step that another writer overtook reads again and is made anew.

/// The attempts of a step, after which the call fails with [`Error::Conflict`](super::error::Error::Conflict). Each
/// attempt that fails means that another writer has succeeded.
pub(super) const ATTEMPTS: u32 = 8;
