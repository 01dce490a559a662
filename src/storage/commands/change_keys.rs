//! A change of the signing keys, step by step.

use crate::model::{AuthLogEntry, KeyRecord, Timestamp};

/// A change of the signing keys.
#[derive(Debug, Clone)]
pub struct ChangeSigningKeys {
    /// The steps, in this order.
    pub steps: Vec<KeyStep>,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// One step of a change of the signing keys.
#[derive(Debug, Clone)]
pub enum KeyStep {
    /// Adds a key.
    Add(KeyRecord),
    /// Moves the time at which a key begins: that and its seal are replaced.
    Move {
        /// The key as it was read.
        before: KeyRecord,
        /// The same key as it shall be.
        after: KeyRecord,
    },
    /// Destroys both halves of a key; its place in the succession stays.
    Revoke(KeyRecord),
    /// Removes a key that has never signed.
    Withdraw(KeyRecord),
}
