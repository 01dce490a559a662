//! A change of the signing keys, step by step.

use crate::model::{AuthLogEntry, KeyRecord, Timestamp};

/// A change of the signing keys.
#[derive(Debug, Clone)]
pub struct ChangeSigningKeys {
    /// The steps, in this order.
    pub steps: Vec<KeyStep>,
    /// The time until which the feed keeps the entry.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// One step of a change of the signing keys.
#[derive(Debug, Clone)]
pub enum KeyStep {
    /// Adds a key.
    Add(KeyRecord),
    /// Moves the start time of a key; the time and its seal are replaced.
    Move {
        /// The key as it was read.
        before: KeyRecord,
        /// The same key after the change.
        after: KeyRecord,
    },
    /// Destroys both halves of a key; its generation stays.
    Revoke(KeyRecord),
    /// Removes a key that has never signed.
    Withdraw(KeyRecord),
}
