//! Reloading of signing keys while calls run. The follower of the feed triggers a reload; a reader that meets an
//! unknown key may request one.

use async_trait::async_trait;

use super::error::Result;
use crate::storage::StoreResult;
use crate::tokens::TokenFault;

/// Reloads the signing keys.
#[async_trait]
pub trait ReloadKeys: Send + Sync {
    /// Reloads the keys; afterwards the ring contains every key that was committed before.
    async fn reload(&self) -> StoreResult<()>;
    /// Reloads the keys to find an unknown one; returns false if a reload ran a moment ago. If that reload failed, this
    /// returns an error, because the key may exist.
    async fn look_for_unknown(&self) -> StoreResult<bool>;
}

/// Verifies a token; if its key is unknown, verifies it once more after a reload. A known key needs no reload.
pub(super) async fn verify_again<T>(
    keys: &dyn ReloadKeys,
    verify: impl Fn() -> std::result::Result<T, TokenFault>,
) -> Result<T> {
    match verify() {
        Err(TokenFault::UnknownKey) if keys.look_for_unknown().await? => Ok(verify()?),
        outcome => Ok(outcome?),
    }
}
