//! The keys of this replica: one signs, all of them verify. A token's key is found here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::Header;

use super::claims::AccessClaims;
use super::jwks::Jwks;
use super::key::SigningKey;
use super::verifier::{MAX_TOKEN_BYTES, TOKEN_TYPE};

/// A token would have more bytes than any reader takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimsTooLarge;

/// The ring; readers never wait.
#[derive(Debug)]
pub struct KeyRing(ArcSwap<Snapshot>);

/// The ring at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    signing: Arc<SigningKey>,
    by_kid: HashMap<String, Arc<SigningKey>>,
    jwks: Arc<Jwks>,
}

impl Snapshot {
    pub(super) fn find(&self, kid: &str) -> Option<&Arc<SigningKey>> {
        self.by_kid.get(kid)
    }
}

impl KeyRing {
    /// A ring in which `signing` signs and the others still verify.
    #[must_use]
    pub fn new(signing: SigningKey, others: Vec<SigningKey>) -> Self {
        Self(ArcSwap::from_pointee(snapshot(signing, others)))
    }

    /// The public keys.
    #[must_use]
    pub fn jwks(&self) -> Arc<Jwks> {
        Arc::clone(&self.0.load().jwks)
    }

    /// Whether a key of this name still verifies.
    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.0.load().by_kid.contains_key(kid)
    }

    pub(super) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.0.load()
    }

    /// Makes and signs an access token.
    pub fn issue(&self, claims: &AccessClaims) -> Result<String, ClaimsTooLarge> {
        let key = Arc::clone(&self.0.load().signing);
        let mut header = Header::new(key.algorithm.in_library());
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.kid.clone());
        // A key that is in the ring has proven that it signs, and claims are plain JSON: what is left is size.
        let token =
            jsonwebtoken::encode(&header, &claims.to_json(), &key.private).map_err(|_| ClaimsTooLarge)?;
        if token.len() > MAX_TOKEN_BYTES { Err(ClaimsTooLarge) } else { Ok(token) }
    }
}

fn snapshot(signing: SigningKey, others: Vec<SigningKey>) -> Snapshot {
    let signing = Arc::new(signing);
    let all: Vec<_> = std::iter::once(Arc::clone(&signing)).chain(others.into_iter().map(Arc::new)).collect();
    let jwks = Arc::new(Jwks::new(all.iter().map(|key| key.jwk.clone())));
    Snapshot { signing, by_kid: all.into_iter().map(|key| (key.kid.clone(), key)).collect(), jwks }
}
