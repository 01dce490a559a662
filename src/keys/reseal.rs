//! Re-sealing: a key sealed with an older secret is sealed again with the first one, so that the older secret can be
//! removed. The keys themselves do not change. While replicas differ in their first secret, each undoes the other's
//! re-sealing once an hour.

use super::key_ops::KeyOps;
use crate::jose::SigningKey;
use crate::model::Succession;
use crate::storage::StoreResult;

impl KeyOps {
    /// Seals every living key with the first secret; returns true if there was one to seal.
    pub(super) async fn reseal(&self, succession: &Succession) -> StoreResult<bool> {
        let mut resealed = false;
        for (record, _) in succession.living(self.clock.now()) {
            if self.secrets.sealer(record) == Some(0) {
                continue;
            }
            // A key that cannot be opened is reported when the ring is read.
            let Ok(after) = SigningKey::reseal(&self.secrets, &*self.entropy, record, record.not_before)
            else {
                continue;
            };
            // If the record was revoked, moved or sealed concurrently, that change takes precedence.
            if self.store.reseal_signing_key(record, &after).await? {
                tracing::info!(kid = record.kid, "signing key resealed with the first secret");
                resealed = true;
            }
        }
        Ok(resealed)
    }
}
