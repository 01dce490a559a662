//! Signing keys change while calls go on: who follows the feed is told so, and who meets a key that is not in the ring
//! may ask for another look.

use async_trait::async_trait;

use crate::storage::StoreResult;
use crate::tokens::TokenFault;

/// Reads the signing keys anew.
#[async_trait]
pub trait ReloadKeys: Send + Sync {
    /// Reads them; what was committed before is in the ring after it.
    async fn reload(&self) -> StoreResult<()>;
    /// Looks for a key that is not in the ring; false when that was done a moment ago, or could not be done.
    async fn look_for_unknown(&self) -> bool;
}

/// Verifies, and once more where the key was unknown and another look was had. A known key needs no look.
pub(super) async fn verify_again<T>(
    keys: &dyn ReloadKeys,
    verify: impl Fn() -> Result<T, TokenFault>,
) -> Result<T, TokenFault> {
    match verify() {
        Err(TokenFault::UnknownKey) if keys.look_for_unknown().await => verify(),
        outcome => outcome,
    }
}
