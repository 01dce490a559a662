//! The configured signing keys: PEM files, or managed keys in the database.

use std::sync::{Arc, OnceLock};

use super::fault::StartFault;
use crate::auth::{ReloadKeys, Rules};
use crate::config::Config;
use crate::http::public::PublicKeys;
use crate::jose::{PublishedJwks, SigningKey};
use crate::keys::{ConstantKeys, KeyOps, ManagedKeys, keys_of_files};
use crate::model::{Clock, Entropy};
use crate::storage::Database;
use crate::tokens::{KeyRing, Secrets};

/// The key ring, and the maintenance task that updates it.
pub(super) struct Keys {
    pub(super) ring: Arc<KeyRing>,
    pub(super) reload: Arc<dyn ReloadKeys>,
    /// `None` if the keys are files.
    pub(super) managed: Option<ManagedKeys>,
}

impl Keys {
    /// Creates the ring of keys from files, which do not change.
    pub(super) fn constant(keys: Vec<SigningKey>) -> Self {
        let ring = Arc::new(KeyRing::constant(keys));
        Self { ring, reload: Arc::new(ConstantKeys), managed: None }
    }

    /// Loads the managed keys from the database.
    pub(super) async fn managed(ops: KeyOps) -> Result<Self, StartFault> {
        let managed = ManagedKeys::start(ops).await?;
        let ring = Arc::clone(managed.ring());
        Ok(Self { ring, reload: Arc::new(managed.clone()), managed: Some(managed) })
    }
}

/// Loads the keys of the configured PEM files, if there are any, or returns the fault of each.
pub(super) fn of_files(config: &Config) -> Result<Option<Vec<SigningKey>>, Vec<StartFault>> {
    let files = &config.tokens.signing_keys;
    if files.is_empty() {
        return Ok(None);
    }
    let keys = keys_of_files(config.tokens.algorithm, files).map(Some);
    keys.map_err(|faults| faults.into_iter().map(StartFault::from).collect())
}

/// Creates the operations on managed keys.
pub(super) fn ops(
    config: &Config,
    rules: Rules,
    secrets: Arc<Secrets>,
    database: Database,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> KeyOps {
    let (algorithm, rotation) = (config.tokens.algorithm, config.tokens.key_rotation);
    KeyOps { store: Arc::new(database), secrets, clock, entropy, algorithm, rotation, rules }
}

/// The public keys for the HTTP port, once the ring is loaded.
pub(super) struct PublishedKeys {
    ring: OnceLock<Arc<KeyRing>>,
    clock: Arc<dyn Clock>,
}

impl PublishedKeys {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { ring: OnceLock::new(), clock }
    }

    pub(super) fn publish(&self, ring: Arc<KeyRing>) {
        let _ = self.ring.set(ring);
    }
}

impl PublicKeys for PublishedKeys {
    fn jwks(&self) -> Option<PublishedJwks> {
        self.ring.get().map(|ring| ring.jwks(self.clock.now()))
    }

    fn algorithms(&self) -> Option<Vec<&'static str>> {
        self.ring.get().map(|ring| ring.algorithms(self.clock.now()))
    }
}
