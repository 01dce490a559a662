//! Rotation: the next key is created some time before it signs, so that clients with a cached key set know it by then.

use super::fault::KeysFault;
use super::key_ops::{Cause, KeyOps, TRIES};
use crate::model::{KeyRecord, PUBLISHED_BEFORE, Succession};
use crate::storage::KeyStep;

/// The outcome of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// This key was created; it signs from its `not_before` on.
    Made(KeyRecord),
    /// This key was waiting, and signs from now on.
    Moved(KeyRecord),
    /// This key is already waiting; nothing was changed.
    Waiting(KeyRecord),
}

impl KeyOps {
    /// Creates the next key on request; `at_once` lets it sign without a publication period.
    ///
    /// Replicas re-seal keys with their first secret. So if the newest key is not sealed with the first secret here,
    /// other replicas may not have that secret. They could not open a key sealed with it.
    pub async fn rotate(&self, at_once: bool) -> Result<Rotated, KeysFault> {
        for _ in 0..TRIES {
            let succession = self.succession().await?;
            let now = self.clock.now();
            if let Some((newest, _)) = succession.living(now).next()
                && self.secrets.sealer(newest) != Some(0)
            {
                return Err(KeysFault::OtherSecret(newest.kid.clone()));
            }
            let (step, rotated) = match succession.next(now) {
                Some(next) if !at_once => return Ok(Rotated::Waiting(next.clone())),
                None if !at_once && succession.signing(now).is_some() => {
                    let made = self.make(&succession, now.plus(PUBLISHED_BEFORE))?;
                    (KeyStep::Add(made.clone()), Rotated::Made(made))
                }
                Some(_) | None => match self.take_over(&succession, None, now)? {
                    (step @ KeyStep::Move { .. }, moved) => (step, Rotated::Moved(moved)),
                    (step, made) => (step, Rotated::Made(made)),
                },
            };
            if self.change(vec![step], Cause::ROTATED).await? {
                return Ok(rotated);
            }
        }
        Err(KeysFault::Contention)
    }

    /// Creates the next key if it is due, or if the newest key is not for `algorithm`. If several replicas try at once,
    /// one succeeds, and the others return without a fault.
    pub(super) async fn rotate_if_due(
        &self,
        succession: &Succession,
        algorithm: Option<&str>,
    ) -> Result<bool, KeysFault> {
        let Some(begins) = succession.due(self.clock.now(), self.rotation, algorithm) else {
            return Ok(false);
        };
        let made = self.make(succession, begins)?;
        let kid = made.kid.clone();
        let added = self.change(vec![KeyStep::Add(made)], Cause::SCHEDULED).await?;
        if added {
            tracing::info!(kid, not_before = begins.millis(), "next signing key created");
        }
        Ok(true)
    }

    /// Creates the very first key, which signs at once, because no client has cached a key set yet.
    pub(super) async fn make_first(&self) -> Result<(), KeysFault> {
        let first = self.make(&Succession::default(), self.clock.now())?;
        self.store.add_signing_key(first).await?;
        Ok(())
    }
}
