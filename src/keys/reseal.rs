//! Re-sealing: what an older secret sealed is sealed again under the first one, so that the older can be removed. The
//! keys stay as they are. While replicas differ in their first secret, each undoes what the other did, once an hour.

use super::key_ops::KeyOps;
use crate::jose::SigningKey;
use crate::model::Succession;
use crate::storage::StoreResult;

impl KeyOps {
    /// Seals every living key under the first secret; answers whether there was one to seal.
    pub(super) async fn reseal(&self, succession: &Succession) -> StoreResult<bool> {
        let mut resealed = false;
        for (record, _) in succession.living(self.clock.now()) {
            if self.secrets.sealer(record) == Some(0) {
                continue;
            }
            // One that does not open is told of where the ring is read.
            let Ok(after) = SigningKey::reseal(&self.secrets, &*self.entropy, record, record.not_before)
            else {
                continue;
            };
            // Whoever revoked, moved or sealed it meanwhile was right: the record is theirs then.
            if self.store.reseal_signing_key(record, &after).await? {
                tracing::info!(kid = record.kid, "signing key sealed under the first secret");
                resealed = true;
            }
        }
        Ok(resealed)
    }
}
