//! The managed keys of a running replica and their key ring. It reads them from the database at the start, after a
//! change in the feed, periodically, and for a token with an unknown `kid`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::fault::KeysFault;
use super::key_ops::KeyOps;
use super::unknown_kid::{Look, Looks, outcome};
use super::unsealed::UnsealedKeys;
use crate::auth::ReloadKeys;
use crate::model::Succession;
use crate::storage::StoreResult;
use crate::tokens::KeyRing;

/// The managed keys of a replica.
#[derive(Clone)]
pub struct ManagedKeys(Arc<Inner>);

struct Inner {
    ops: KeyOps,
    ring: Arc<KeyRing>,
    readings: AtomicU64,
    known: Mutex<Known>,
    looks: Looks,
}

#[derive(Default)]
struct Known {
    reading: u64,
    succession: Succession,
    unsealed: UnsealedKeys,
    /// Keys that could not be opened, each logged once.
    closed: Vec<String>,
}

impl ManagedKeys {
    /// Reads the keys, and creates the first if there is none. A key that cannot be opened is a fault here, because
    /// this replica would reject its tokens.
    pub async fn start(ops: KeyOps) -> Result<Self, KeysFault> {
        loop {
            let succession = ops.succession().await?;
            let now = ops.clock.now();
            if succession.is_empty() {
                // If several replicas find no key, one creates it and the others read it at the second attempt.
                ops.make_first().await?;
                continue;
            }
            if succession.living(now).next().is_none() {
                ops.rotate_if_due(&succession, None).await?;
                continue;
            }
            let mut known = Known::default();
            let faults = known.unsealed.take_over(&ops.secrets, &succession, now);
            if let Some((kid, fault)) = faults.into_iter().next() {
                return Err(KeysFault::Managed(kid, fault));
            }
            let ring = Arc::new(KeyRing::new(known.unsealed.ring_keys(&succession, now)));
            known.succession = succession;
            let (readings, known) = (AtomicU64::new(0), Mutex::new(known));
            return Ok(Self(Arc::new(Inner { ops, ring, readings, known, looks: Looks::default() })));
        }
    }

    /// Returns the key ring, which is kept up to date.
    #[must_use]
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.0.ring
    }

    pub(super) fn ops(&self) -> &KeyOps {
        &self.0.ops
    }

    /// Returns the keys as last read.
    pub(super) fn succession(&self) -> Succession {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner).succession.clone()
    }

    /// Reads the keys and puts those that can be opened into the ring.
    pub(super) async fn read(&self) -> StoreResult<()> {
        let Inner { ops, ring, readings, known, .. } = &*self.0;
        let reading = readings.fetch_add(1, Ordering::SeqCst) + 1;
        let succession = ops.succession().await?;
        let now = ops.clock.now();
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.reading > reading {
            // A reading that began later has already finished, so its data is at least as recent.
            return Ok(());
        }
        known.reading = reading;
        let faults = known.unsealed.take_over(&ops.secrets, &succession, now);
        for (kid, fault) in &faults {
            if !known.closed.contains(kid) {
                tracing::error!(kid, %fault, "failed to open signing key; add the secret that sealed it to `secrets`");
            }
        }
        known.closed = faults.into_iter().map(|(kid, _)| kid).collect();
        ring.replace(known.unsealed.ring_keys(&succession, now));
        known.succession = succession;
        Ok(())
    }
}

#[async_trait]
impl ReloadKeys for ManagedKeys {
    async fn reload(&self) -> StoreResult<()> {
        self.read().await
    }

    async fn look_for_unknown(&self) -> StoreResult<bool> {
        let looking = match self.0.looks.ask(self.0.ops.clock.now()) {
            Look::TooSoon(last) => return outcome(last).await.map(|()| false),
            Look::Running(looking) => looking,
            Look::Yours(yours) => {
                let (this, looking) = (self.clone(), yours.subscribe());
                // Spawned so that the reading continues for other waiting calls if this call is cancelled.
                tokio::spawn(async move {
                    let read = this.read().await;
                    if let Err(error) = &read {
                        tracing::warn!(%error, "failed to read signing keys");
                    }
                    yours.send_replace(Some(read));
                });
                looking
            }
        };
        outcome(looking).await.map(|()| true)
    }
}
