//! Marks on single-use items, such as flows and ID tokens. A mark is kept for as long as the item could be used again.

use super::digest::digest_of;
use super::time::Timestamp;

/// A record that an item was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedMark {
    /// The digest that identifies the item.
    pub key: [u8; 32],
    /// Time until which the mark must be kept.
    pub expires_at: Timestamp,
}

impl UsedMark {
    /// Creates the mark for the flow with this id.
    #[must_use]
    pub fn of_flow(id: &[u8], expires_at: Timestamp) -> Self {
        Self { key: digest_of(b"gatepass used flow", &[id]), expires_at }
    }

    /// Creates the mark for the ID token with this digest.
    #[must_use]
    pub fn of_id_token(digest: &[u8; 32], expires_at: Timestamp) -> Self {
        Self { key: digest_of(b"gatepass used id token", &[digest]), expires_at }
    }
}
