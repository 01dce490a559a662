//! Periodic key maintenance by each replica. It reads the keys every half a minute and creates the next key in time.
//! Once an hour, it re-seals keys that an older secret sealed, and removes retired keys. The feed reports changes
//! sooner; the periodic reading covers everything else.

use std::time::Duration;

use super::fault::KeysFault;
use super::managed::ManagedKeys;
use crate::model::{Timestamp, random, spread};
use crate::storage::TrustedClock;

/// The bounds of the interval between two readings; it is random, so that replicas do not read at the same time.
const READ_EVERY: Duration = Duration::from_secs(24);
const READ_AT_LAST: Duration = Duration::from_secs(36);

const TIDY_EVERY: Duration = Duration::from_hours(1);

/// The interval at which the clock is checked.
const TICK: Duration = Duration::from_secs(1);

/// The pending maintenance work.
struct Chores {
    /// The configured algorithm, which is applied only after the start. Replicas whose configurations differ for a
    /// while must not replace each other's keys.
    algorithm: Option<&'static str>,
    tidied_at: Option<Timestamp>,
}

impl ManagedKeys {
    /// Maintains the keys without end; `steady` is the clock for creating and removing them.
    pub async fn follow(&self, steady: &TrustedClock) {
        let (clock, entropy) = (&*self.ops().clock, &*self.ops().entropy);
        let mut chores = Chores { algorithm: Some(self.ops().algorithm.name()), tidied_at: None };
        let mut failing = false;
        // The keys were just read at the start.
        let mut kept = self.keep(&mut chores, steady).await;
        loop {
            if let Err(fault) = &kept
                && !failing
            {
                tracing::warn!(%fault, "signing key maintenance failed");
            }
            failing = kept.is_err();
            let (read_at, every) = (clock.now(), spread(READ_EVERY, READ_AT_LAST, random(entropy)));
            while !is_over(read_at, every, clock.now()) {
                tokio::time::sleep(TICK).await;
            }
            kept = match self.read().await {
                Ok(()) => self.keep(&mut chores, steady).await,
                Err(error) => Err(error.into()),
            };
        }
    }

    async fn keep(&self, chores: &mut Chores, steady: &TrustedClock) -> Result<(), KeysFault> {
        let (ops, now) = (self.ops(), self.ops().clock.now());
        let succession = self.succession();
        let is_due = succession.due(now, ops.rotation, chores.algorithm).is_some();
        let mut changed = false;
        // A key with a wrong start time would keep every replica from creating another until then. If no key signs,
        // tokens cannot wait for the clock.
        if !is_due || succession.signing(now).is_none() || steady.agrees().await? {
            changed = ops.rotate_if_due(&succession, chores.algorithm).await?;
            if chores.algorithm.is_some_and(|wanted| self.is_settled(now, wanted)) {
                chores.algorithm = None;
            }
        }
        if chores.tidied_at.is_none_or(|at| is_over(at, TIDY_EVERY, now)) {
            changed |= ops.reseal(&self.succession()).await?;
            ops.sweep(steady).await?;
            chores.tidied_at = Some(now);
        }
        if changed {
            self.read().await?;
        }
        Ok(())
    }
}

impl ManagedKeys {
    /// Tells whether no more work is needed to change to the `wanted` algorithm. If the waiting key has the algorithm
    /// of the signing key, the change is only delayed. If it has a third algorithm, it is kept, because other replicas
    /// may be configured for it.
    fn is_settled(&self, now: Timestamp, wanted: &str) -> bool {
        let succession = self.succession();
        let (Some(next), Some(signing)) = (succession.next(now), succession.signing(now)) else {
            return true;
        };
        if next.algorithm != wanted && next.algorithm != signing.algorithm {
            tracing::warn!(
                kid = next.kid,
                algorithm = next.algorithm,
                "next signing key does not use tokens.algorithm; revoke it unless other replicas need it"
            );
        }
        next.algorithm == wanted || next.algorithm != signing.algorithm
    }
}

/// Tells whether this duration has elapsed; it also ends if the clock was set back.
fn is_over(since: Timestamp, time: Duration, now: Timestamp) -> bool {
    now < since || now.since(since) >= time
}
