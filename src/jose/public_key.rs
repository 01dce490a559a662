//! The public half of a key, which verifies signatures.

use jsonwebtoken::DecodingKey;

use super::algorithm::Algorithm;

/// A key that verifies signatures.
#[derive(Clone)]
pub struct PublicKey(pub(super) DecodingKey);

impl PublicKey {
    /// Returns true if this signature, in base64url, was made by this key with this algorithm.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message, &self.0, algorithm.in_library()).unwrap_or(false)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicKey")
    }
}
