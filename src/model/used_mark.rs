//! What can be used once: a flow, an ID token. It is marked when it is used, for as long as it could be used again.

use super::digest::digest_of;
use super::time::Timestamp;

/// That something was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedMark {
    /// What finds it: a digest.
    pub key: [u8; 32],
    /// Until when it must be kept.
    pub expires_at: Timestamp,
}

impl UsedMark {
    /// That the flow of this id was used.
    #[must_use]
    pub fn of_flow(id: &[u8], expires_at: Timestamp) -> Self {
        Self { key: digest_of(b"gatepass used flow", &[id]), expires_at }
    }

    /// That the ID token of this digest was used.
    #[must_use]
    pub fn of_id_token(digest: &[u8; 32], expires_at: Timestamp) -> Self {
        Self { key: digest_of(b"gatepass used id token", &[digest]), expires_at }
    }
}
