//! Proving a token once: what was verified is kept by a digest of the whole token, in bounded room, and answered
//! only while the token's time runs and its key verifies. What was refused is not kept.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::claims::AccessClaims;
use super::verifier::{MAX_TOKEN_BYTES, TokenFault, Verifier};
use crate::model::{Timestamp, sha256};

/// A token that was proven good.
#[derive(Debug)]
pub struct VerifiedToken {
    /// What it says.
    pub claims: AccessClaims,
    /// The name of its key.
    pub kid: String,
}

/// Proves access tokens.
pub trait VerifyToken: Send + Sync {
    /// Proves a token good at this time.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenFault>;
}

impl VerifyToken for Verifier {
    fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenFault> {
        let (claims, kid) = Self::verify(self, token, now)?;
        Ok(Arc::new(VerifiedToken { claims, kid }))
    }
}

/// A verifier that remembers.
#[derive(Debug)]
pub struct CachingVerifier {
    verifier: Verifier,
    verified: Cache<[u8; 32], Arc<VerifiedToken>>,
}

impl CachingVerifier {
    /// Remembers at most `capacity` tokens, some 2 KiB each.
    #[must_use]
    pub fn new(verifier: Verifier, capacity: usize) -> Self {
        Self { verifier, verified: Cache::new(capacity) }
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
