//! Rotation: the next key is made some time before it signs, so that everybody who caches the key set knows it by then.

use super::fault::KeysFault;
use super::key_ops::{Cause, KeyOps, TRIES};
use crate::model::{KeyRecord, PUBLISHED_BEFORE, Succession};
use crate::storage::KeyStep;

/// What became of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// This key was made; it signs from its `not_before` on.
    Made(KeyRecord),
    /// This key was waiting, and signs from now on.
    Moved(KeyRecord),
    /// This key is waiting already; nothing was changed.
    Waiting(KeyRecord),
}

impl KeyOps {
    /// Makes the next key because somebody asked for it; `at_once` lets it sign without being published first.
    ///
    /// Replicas seal under the first of their secrets what they find sealed otherwise. So where the newest key is not
    /// sealed by the first one here, they may not have that one, and could not open what it seals.
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

    /// Makes the next key if it is time for it, or if the newest is of another algorithm than `algorithm`. Of several
    /// replicas that find so, one makes it; the others are none the worse.
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
            tracing::info!(kid, not_before = begins.millis(), "next signing key made");
        }
        Ok(true)
    }

    /// Makes the first key of all, which signs at once. There is nobody yet whom that would have to be told.
    pub(super) async fn make_first(&self) -> Result<(), KeysFault> {
        let first = self.make(&Succession::default(), self.clock.now())?;
        self.store.add_signing_key(first).await?;
        Ok(())
    }
}
