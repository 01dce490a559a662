//! The cache of verified tokens. Entries are keyed by a digest of the whole token, and the cache is bounded. An entry
//! is valid only until the token expires and while its key verifies. Rejected tokens are not cached.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::claims::AccessClaims;
use super::limits::MAX_TOKEN_BYTES;
use super::verifier::{TokenFault, Verifier};
use crate::model::{Timestamp, claims, sha256};

/// A successfully verified token.
#[derive(Debug)]
pub struct VerifiedToken {
    /// The claims of the token.
    pub claims: AccessClaims,
    /// The `kid` of its key.
    pub kid: String,
}

/// A verifier of access tokens.
pub trait VerifyToken: Send + Sync {
    /// Verifies a token at this time.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenFault>;
}

impl VerifyToken for Verifier {
    fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenFault> {
        let (claims, kid) = Self::verify(self, token, now)?;
        Ok(Arc::new(VerifiedToken { claims, kid }))
    }
}

/// The size of a cached token in bytes, without the claims added by callbacks.
const BYTES_A_TOKEN: u64 = 2048;

/// A verifier with a cache.
#[derive(Debug)]
pub struct CachingVerifier {
    verifier: Verifier,
    verified: Cache<[u8; 32], Arc<VerifiedToken>, Bytes>,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<[u8; 32], Arc<VerifiedToken>> for Bytes {
    fn weight(&self, _: &[u8; 32], token: &Arc<VerifiedToken>) -> u64 {
        BYTES_A_TOKEN + claims::memory_size(&token.claims.added)
    }
}

impl CachingVerifier {
    /// Creates a verifier with a cache of about this many bytes.
    #[must_use]
    pub fn new(verifier: Verifier, bytes: u32) -> Self {
        let tokens = usize::try_from(u64::from(bytes) / BYTES_A_TOKEN).unwrap_or(usize::MAX);
        Self { verifier, verified: Cache::with_weighter(tokens, bytes.into(), Bytes) }
    }
}

impl VerifyToken for CachingVerifier {
    fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenFault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::Malformed);
        }
        let digest = sha256(token.as_bytes());
        if let Some(known) = self.verified.get(&digest) {
            return self.still_good(known, now);
        }
        let verified = VerifyToken::verify(&self.verifier, token, now)?;
        self.verified.insert(digest, Arc::clone(&verified));
        Ok(verified)
    }
}

impl CachingVerifier {
    fn still_good(
        &self,
        known: Arc<VerifiedToken>,
        now: Timestamp,
    ) -> Result<Arc<VerifiedToken>, TokenFault> {
        if !self.verifier.knows_key(&known.kid, now) {
            Err(TokenFault::Signature)
        } else if self.verifier.is_expired(known.claims.expires_at, now) {
            Err(TokenFault::Expired)
        } else {
            self.verifier.check_shape(&known.claims, now).map(|()| known)
        }
    }
}
