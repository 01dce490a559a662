//! Keys from PEM files: the first signs, all verify, and none changes before the next start.

use std::path::PathBuf;

use async_trait::async_trait;

use super::fault::KeysFault;
use crate::auth::ReloadKeys;
use crate::storage::StoreResult;
use crate::tokens::{Algorithm, KeyFault, SigningKey};

/// Reads the keys of these files; the first must be of this algorithm.
pub fn keys_of_files(algorithm: Algorithm, paths: &[PathBuf]) -> Result<Vec<SigningKey>, KeysFault> {
    let mut keys = Vec::with_capacity(paths.len());
    for path in paths {
        let pem = std::fs::read(path).map(zeroize::Zeroizing::new);
        let pem = pem.map_err(|cause| KeysFault::Unreadable(path.clone(), cause))?;
        let rsa = if algorithm == Algorithm::Rs256 { Algorithm::Rs256 } else { Algorithm::Ps256 };
        let key = SigningKey::from_pem(&pem, rsa).map_err(|fault| KeysFault::Pem(path.clone(), fault))?;
        if keys.is_empty() && key.algorithm() != algorithm {
            return Err(KeysFault::Pem(path.clone(), KeyFault::OtherKind(algorithm)));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Keys that do not change while the program runs.
#[derive(Debug, Clone, Copy)]
pub struct ConstantKeys;

#[async_trait]
impl ReloadKeys for ConstantKeys {
    async fn reload(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn look_for_unknown(&self) -> StoreResult<bool> {
        Ok(false)
    }
}
