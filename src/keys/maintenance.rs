//! What a replica does about its keys by itself: reads them every half a minute, makes the next one in time, and once
//! an hour seals again what an older secret sealed and removes what has retired. The feed tells of changes sooner; this is
//! for what it cannot tell.

use std::time::Duration;

use super::fault::KeysFault;
use super::managed::ManagedKeys;
use crate::model::{Timestamp, random, spread};
use crate::storage::TrustedClock;

/// The least and the most time between two readings: replicas do not ask all at once.
const READ_EVERY: Duration = Duration::from_secs(24);
const READ_AT_LAST: Duration = Duration::from_secs(36);

const TIDY_EVERY: Duration = Duration::from_hours(1);

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// What is still to be done.
struct Chores {
    /// The algorithm that new keys have is looked at after the start only: replicas whose configurations differ for
    /// a while must not outdo each other.
    algorithm: Option<&'static str>,
    tidied_at: Option<Timestamp>,
}

impl ManagedKeys {
    /// Keeps the keys for ever; makes and removes them by this clock.
    pub async fn follow(&self, steady: &TrustedClock) {
        let (clock, entropy) = (&*self.ops().clock, &*self.ops().entropy);
        let mut chores = Chores { algorithm: Some(self.ops().algorithm.name()), tidied_at: None };
        let mut failing = false;
        // What the start has read is as good as read now.
        let mut kept = self.keep(&mut chores, steady).await;
        loop {
            if let Err(fault) = &kept
                && !failing
            {
                tracing::warn!(%fault, "signing keys not kept");
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
        // A key that signs from some wrong time on would keep every replica from making another until then. Where none
        // signs, tokens can't wait for the clock.
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
    /// Whether nothing more is to be done for the wanted algorithm. A key that was made before of the algorithm that
    /// signs now only puts it off. One of a third, or of a configuration that was taken back, is not outdone: other
    /// replicas may have it still.
    fn is_settled(&self, now: Timestamp, wanted: &str) -> bool {
        let succession = self.succession();
        let (Some(next), Some(signing)) = (succession.next(now), succession.signing(now)) else {
            return true;
        };
        if next.algorithm != wanted && next.algorithm != signing.algorithm {
            tracing::warn!(
                kid = next.kid,
                algorithm = next.algorithm,
                "the key that waits is not of tokens.algorithm: revoke it unless other replicas are to have it"
            );
        }
        next.algorithm == wanted || next.algorithm != signing.algorithm
    }
}

/// Whether the time is over; a clock that was set back ends it too.
fn is_over(since: Timestamp, time: Duration, now: Timestamp) -> bool {
    now < since || now.since(since) >= time
}
