//! Signing keys change while calls go on: who follows the feed is told so, and who meets a key that is not in the ring
//! may ask for another look.

use async_trait::async_trait;

use super::error::Result;
use crate::storage::StoreResult;
use crate::tokens::TokenFault;

/// Reads the signing keys anew.
#[async_trait]
pub trait ReloadKeys: Send + Sync {
    /// Reads them; what was committed before is in the ring after it.
    async fn reload(&self) -> StoreResult<()>;
    /// Looks for a key that is not in the ring; false when that was done a moment ago. A look that failed, now or a
    /// moment ago, is an error: nobody knows whether there is such a key.
    async fn look_for_unknown(&self) -> StoreResult<bool>;
}

/// Verifies, and once more where the key was unknown and another look was had. A known key needs no look.
pub(super) async fn verify_again<T>(
    keys: &dyn ReloadKeys,
    verify: impl Fn() -> std::result::Result<T, TokenFault>,
) -> Result<T> {
    match verify() {
        Err(TokenFault::UnknownKey) if keys.look_for_unknown().await? => Ok(verify()?),
        outcome => Ok(outcome?),
    }
}
