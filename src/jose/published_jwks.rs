//! The published public keys: a JWK Set (RFC 7517 section 5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jsonwebtoken::jwk::JwkSet;

use super::key::SigningKey;
use crate::model::sha256;

/// A JWK Set and its entity tag.
#[derive(Debug, Clone)]
pub struct PublishedJwks {
    /// The JSON.
    pub body: Bytes,
    /// A strong entity tag, quotes included (RFC 9110 section 8.8.3).
    pub etag: String,
}

impl PublishedJwks {
    /// Makes the set of the public halves of these keys.
    pub fn of<'k>(keys: impl Iterator<Item = &'k SigningKey>) -> Self {
        let keys = keys.map(|key| key.jwk().clone()).collect();
        let body = serde_json::to_vec(&JwkSet { keys }).unwrap_or_default();
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&sha256(&body)[..16]));
        Self { body: body.into(), etag }
    }
}
