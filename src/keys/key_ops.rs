//! Operations on managed keys, and the steps that rotation and revocation share.

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

/// The number of attempts to apply a change while others change the keys concurrently.
pub(super) const TRIES: u32 = 5;

/// The dependencies and settings for managing keys.
#[derive(Clone)]
pub struct KeyOps {
    /// The store of the key records.
    pub store: Arc<dyn KeyStore>,
    /// The secrets that seal the keys.
    pub secrets: Arc<Secrets>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The algorithm of new keys.
    pub algorithm: Algorithm,
    /// The age at which a key is replaced.
    pub rotation: Duration,
    /// The tolerated clock skew, the logged actions, and the retention of feed entries.
    pub rules: Rules,
}

/// The originator of a key change and its reason, as shown in the auth log. No configured caller can have such a name.
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
    /// Reads the keys from the database.
    pub async fn succession(&self) -> StoreResult<Succession> {
        Ok(Succession::new(self.store.signing_keys().await?, self.rules.clock_leeway))
    }

    /// Creates the next key of this succession.
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

    /// Plans the step that makes another key sign at once, and returns it with that key's new record. It takes the next
    /// key, which clients already know from the key set. If there is none, or it cannot be opened, it creates a key.
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

    /// Removes keys that have retired by the clock of every replica. If the clock is not steady, it removes none.
    pub(super) async fn sweep(&self, steady: &TrustedClock) -> StoreResult<()> {
        let Some(now) = steady.settle(self.clock.now()).await? else { return Ok(()) };
        let swept = self.store.sweep_signing_keys(self.rules.keys_retired_at(now)).await?;
        if swept > 0 {
            tracing::info!(keys = swept, "retired signing keys deleted");
        }
        Ok(())
    }

    /// Applies these steps together with their auth log row. Returns false if the keys were changed concurrently.
    pub(super) async fn change(&self, steps: Vec<KeyStep>, cause: Cause) -> StoreResult<bool> {
        let origin = Origin { caller: cause.caller.to_owned(), ..Origin::default() };
        let mut log = AuthLogEntry::new(&*self.clock, &*self.entropy, AuthLogAction::KeyRotated, &origin)
            .ended(AuthLogOutcome::Success, cause.reason);
        // No call caused this row, so its own id serves as the request id.
        log.request_id = log.id.to_string();
        let log = (!self.rules.log_exclude.contains(&log.action)).then_some(log);
        let remember_until = self.rules.remember_until(self.clock.now());
        self.store.change_signing_keys(commands::ChangeSigningKeys { steps, remember_until, log }).await
    }
}
