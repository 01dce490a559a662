//! The managed keys as a running replica has them: its ring, read from the database at the start, when the feed tells
//! of a change, now and then, and when a token names a key that is not in it.

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
    /// Keys that did not open, each told of once.
    closed: Vec<String>,
}

impl ManagedKeys {
    /// Reads the keys, and makes the first where there is none. One that does not open is a fault here, since this
    /// replica would refuse its tokens.
    pub async fn start(ops: KeyOps) -> Result<Self, KeysFault> {
        loop {
            let succession = ops.succession().await?;
            let now = ops.clock.now();
            if succession.is_empty() {
                // Of several replicas that find none, one makes it; the others read that at the second look.
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

    /// The ring, which this keeps up to date.
    #[must_use]
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.0.ring
    }

    pub(super) fn ops(&self) -> &KeyOps {
        &self.0.ops
    }

    /// The keys as they were read last.
    pub(super) fn succession(&self) -> Succession {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner).succession.clone()
    }

    /// Reads the keys and puts those that open into the ring.
    pub(super) async fn read(&self) -> StoreResult<()> {
        let Inner { ops, ring, readings, known, .. } = &*self.0;
        let reading = readings.fetch_add(1, Ordering::SeqCst) + 1;
        let succession = ops.succession().await?;
        let now = ops.clock.now();
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.reading > reading {
            // One that began later was faster: it knows all that this one was asked for, and maybe more.
            return Ok(());
        }
        known.reading = reading;
        let faults = known.unsealed.take_over(&ops.secrets, &succession, now);
        for (kid, fault) in &faults {
            if !known.closed.contains(kid) {
                tracing::error!(kid, %fault, "signing key not unsealed: put the secret that sealed it into `secrets`");
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
                // The look goes on if this call gives up, for the others that wait for it.
                tokio::spawn(async move {
                    let read = this.read().await;
                    if let Err(error) = &read {
                        tracing::warn!(%error, "signing keys not read");
                    }
                    yours.send_replace(Some(read));
                });
                looking
            }
        };
        outcome(looking).await.map(|()| true)
    }
}
