//! Revocation of a key: both its halves are destroyed, so its tokens are rejected and no secret can restore it.

use super::fault::KeysFault;
use super::key_ops::{Cause, KeyOps, TRIES};
use crate::model::{KeyRecord, KeyState};
use crate::storage::KeyStep;

/// The outcome of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedKey {
    /// The key was revoked; another one signs as before.
    Revoked,
    /// The key was revoked, and this one signs in its place from now on.
    Replaced(KeyRecord),
    /// The key had already been revoked; nothing was changed.
    Already,
}

impl KeyOps {
    /// Revokes a key. If it is the one that signs, another takes over in the same transaction.
    pub async fn revoke(&self, kid: &str) -> Result<RevokedKey, KeysFault> {
        for _ in 0..TRIES {
            let succession = self.succession().await?;
            let now = self.clock.now();
            let Some((record, state)) = succession.states(now).find(|(record, _)| record.kid == kid) else {
                let there = succession.states(now).map(|(record, _)| record.kid.clone()).collect();
                return Err(KeysFault::Unknown(kid.to_owned(), there));
            };
            let step = match state {
                KeyState::Revoked => return Ok(RevokedKey::Already),
                // It has not signed yet, so the succession need not keep its place.
                KeyState::Next => KeyStep::Withdraw(record.clone()),
                KeyState::Signs | KeyState::Verifies { .. } | KeyState::Retired => {
                    KeyStep::Revoke(record.clone())
                }
            };
            let (mut steps, mut revoked) = (vec![step], RevokedKey::Revoked);
            if succession.signing(now).is_none_or(|signing| signing.kid == kid) {
                let (step, successor) = self.take_over(&succession, Some(kid), now)?;
                steps.push(step);
                revoked = RevokedKey::Replaced(successor);
            }
            if self.change(steps, Cause::REVOKED).await? {
                return Ok(revoked);
            }
        }
        Err(KeysFault::Contention)
    }
}
