//! The opened keys of this replica. If another replica re-seals a record with a secret that is missing here, the opened
//! key is kept.

use std::sync::Arc;

use crate::jose::{KeyFault, SigningKey};
use crate::model::{KeyRecord, Succession, Timestamp};
use crate::tokens::{RingKey, Secrets};

/// The opened keys of a succession.
#[derive(Debug, Default)]
pub(super) struct UnsealedKeys(Vec<(KeyRecord, Arc<SigningKey>)>);

impl UnsealedKeys {
    /// Opens the living keys of a succession that are not open yet, and drops all others. Returns the records that
    /// could not be opened.
    pub(super) fn take_over(
        &mut self,
        secrets: &Secrets,
        succession: &Succession,
        now: Timestamp,
    ) -> Vec<(String, KeyFault)> {
        let (mut keys, mut faults) = (Vec::new(), Vec::new());
        for (record, _) in succession.living(now) {
            let known = self.0.iter().find(|(known, _)| known.kid == record.kid);
            if let Some((_, key)) = known.filter(|(known, _)| known == record) {
                keys.push((record.clone(), Arc::clone(key)));
                continue;
            }
            match SigningKey::open(secrets, record) {
                Ok(key) => keys.push((record.clone(), Arc::new(key))),
                Err(fault) => {
                    faults.push((record.kid.clone(), fault));
                    keys.extend(known.cloned());
                }
            }
        }
        self.0 = keys;
        faults
    }

    /// Returns the keys for the ring, newest first.
    pub(super) fn ring_keys(&self, succession: &Succession, now: Timestamp) -> Vec<RingKey> {
        let ring_key = |(record, retires_at): (&KeyRecord, Option<Timestamp>)| {
            let (known, key) = self.0.iter().find(|(known, _)| known.kid == record.kid)?;
            // The time sealed with the key is authentic; the one in the row is not.
            Some(RingKey { key: Arc::clone(key), not_before: known.not_before, retires_at })
        };
        succession.living(now).filter_map(ring_key).collect()
    }
}
