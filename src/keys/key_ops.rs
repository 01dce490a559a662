//! What managed keys are made, sealed and kept with, and the steps that rotation and revocation share.

use std::sync::Arc;
use std::time::Duration;

use super::fault::KeysFault;
use crate::auth::Rules;
use crate::jose::{Algorithm, SigningKey};
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, Clock, Entropy, KeyRecord, LogNote, Origin, Succession,
    Timestamp,
};
use crate::storage::{KeyStep, KeyStore, StoreResult, TrustedClock, commands};
use crate::tokens::Secrets;

/// How often a change is planned anew because the keys were changed meanwhile.
pub(super) const TRIES: u32 = 5;

/// What managed keys are made, sealed and kept with.
#[derive(Clone)]
pub struct KeyOps {
    /// Where the records are.
    pub store: Arc<dyn KeyStore>,
    /// What seals them.
    pub secrets: Arc<Secrets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The algorithm of new keys.
    pub algorithm: Algorithm,
    /// The age at which a key is replaced.
    pub rotation: Duration,
    /// How far clocks may differ, what is logged, and how long changes are remembered.
    pub rules: Rules,
}

/// Who changes the keys and why, as the auth log tells it. No configured caller can have such a name.
#[derive(Clone, Copy)]
pub(super) struct Cause {
    pub(super) caller: &'static str,
    pub(super) reason: LogNote,
}

impl Cause {
    pub(super) const SCHEDULED: Self = Self { caller: "gatepass serve", reason: LogNote::Scheduled };
    pub(super) const ROTATED: Self = Self { caller: "gatepass keys", reason: LogNote::Rotated };
    pub(super) const REVOKED: Self = Self { caller: "gatepass keys", reason: LogNote::Revoked };
}

impl KeyOps {
    /// The keys as they are in the database.
    pub async fn succession(&self) -> StoreResult<Succession> {
        Ok(Succession::new(self.store.signing_keys().await?, self.rules.clock_leeway))
    }

    /// A new key behind these.
    pub(super) fn make(
        &self,
        succession: &Succession,
        not_before: Timestamp,
    ) -> Result<KeyRecord, KeysFault> {
        let (secrets, entropy, generation) = (&self.secrets, &*self.entropy, succession.next_generation());
        let made =
            SigningKey::make(secrets, entropy, self.algorithm, generation, [self.clock.now(), not_before]);
        made.map(|(_, record)| record).map_err(KeysFault::NotMade)
    }

    /// What lets another key than this sign at once: the next one, which readers of the key set know, or a new one
    /// where none waits or it can't be opened. Answers that key as it will be.
    pub(super) fn take_over(
        &self,
        succession: &Succession,
        from: Option<&str>,
        now: Timestamp,
    ) -> Result<(KeyStep, KeyRecord), KeysFault> {
        let next = succession.next(now).filter(|next| from != Some(next.kid.as_str()));
        let moved = next.and_then(|next| {
            let after = SigningKey::reseal(&self.secrets, &*self.entropy, next, now).ok()?;
            Some((KeyStep::Move { before: next.clone(), after: after.clone() }, after))
        });
        if let Some(moved) = moved {
            return Ok(moved);
        }
        let made = self.make(succession, now)?;
        Ok((KeyStep::Add(made.clone()), made))
    }

    /// Removes keys that no replica's clock has among the living any more; none by a clock that is not steady.
    pub(super) async fn sweep(&self, steady: &TrustedClock) -> StoreResult<()> {
        let Some(now) = steady.settle(self.clock.now()).await? else { return Ok(()) };
        let swept = self.store.sweep_signing_keys(self.rules.keys_retired_at(now)).await?;
        if swept > 0 {
            tracing::info!(keys = swept, "swept retired signing keys");
        }
        Ok(())
    }

    /// Takes these steps with their row in the log; false when the keys are others by now.
    pub(super) async fn change(&self, steps: Vec<KeyStep>, cause: Cause) -> StoreResult<bool> {
        let origin = Origin { caller: cause.caller.to_owned(), ..Origin::default() };
        let mut log = AuthLogEntry::new(&*self.clock, &*self.entropy, AuthLogAction::KeyRotated, &origin)
            .ended(AuthLogOutcome::Success, cause.reason);
        // No call asked for it: the row's own id stands for one.
        log.request_id = log.id.to_string();
        let log = (!self.rules.log_exclude.contains(&log.action)).then_some(log);
        let remember_until = self.rules.remember_until(self.clock.now());
        self.store.change_signing_keys(commands::ChangeSigningKeys { steps, remember_until, log }).await
    }
}
