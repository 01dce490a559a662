//! The verifier of access tokens. `jsonwebtoken` checks signatures here and nothing else: it ignores `crit`, takes
//! an `iss` array, any `typ` and any `exp`, and keeps the last of two equal names (RFC 8725 says why that matters).

use std::sync::Arc;
use std::time::Duration;

use super::claims::AccessClaims;
use super::limits::{MAX_TOKEN_BYTES, TOKEN_TYPE};
use super::ring::{KeyMissing, KeyRing};
use crate::jose::{Algorithm, Compact, SigningKey};
use crate::model::{ClaimMap, LONGEST_TOKEN, Timestamp, parse_object};

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Not of the form that we issue.
    Malformed,
    /// No key of ours made this signature.
    Signature,
    /// The key that it names is not in the ring.
    UnknownKey,
    /// Its time is over.
    Expired,
}

impl From<KeyMissing> for TokenFault {
    fn from(missing: KeyMissing) -> Self {
        match missing {
            KeyMissing::Unknown => Self::UnknownKey,
            KeyMissing::Retired => Self::Signature,
        }
    }
}

/// Proves that a token was issued by this issuer's keys and that its time is now.
#[derive(Debug, Clone)]
pub struct Verifier {
    ring: Arc<KeyRing>,
    issuer: String,
    leeway: Duration,
}

impl Verifier {
    /// A verifier of this issuer's tokens; clocks may differ by `leeway`.
    #[must_use]
    pub fn new(ring: Arc<KeyRing>, issuer: String, leeway: Duration) -> Self {
        Self { ring, issuer, leeway }
    }

    /// Proves a token good at this time; answers its claims and the name of its key.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<(AccessClaims, String), TokenFault> {
        let (claims, kid) = self.verify_genuine(token, now)?;
        if self.is_expired(claims.expires_at, now) { Err(TokenFault::Expired) } else { Ok((claims, kid)) }
    }

    /// Proves that we issued a token, though it may have expired: what signing out asks.
    pub fn verify_genuine(&self, token: &str, now: Timestamp) -> Result<(AccessClaims, String), TokenFault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::Malformed);
        }
        let token = Compact::split(token).ok_or(TokenFault::Malformed)?;
        let header = Header::parse(token.header)?;
        let body = decode(token.payload)?;
        decode(token.signature)?;
        let ring = self.ring.snapshot();
        let key = ring.find(&header.kid, now)?;
        check_signature(key, &header, token)?;
        let claims = parse_object(&body).map_err(|_| TokenFault::Malformed)?;
        let claims = AccessClaims::from_json(claims).ok_or(TokenFault::Malformed)?;
        self.check_shape(&claims, now)?;
        Ok((claims, header.kid))
    }

    /// Tells whether a token of that `exp` is over.
    #[must_use]
    pub fn is_expired(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        now >= expires_at.plus(self.leeway)
    }

    /// Tells whether a key still verifies; what was verified with a key that is gone counts no longer.
    #[must_use]
    pub fn knows_key(&self, kid: &str, now: Timestamp) -> bool {
        self.ring.verifies(kid, now)
    }

    pub(super) fn check_shape(&self, claims: &AccessClaims, now: Timestamp) -> Result<(), TokenFault> {
        let latest = now.plus(self.leeway);
        let not_before = match claims.added.get("nbf") {
            None => None,
            Some(value) => Some(value.as_i64().ok_or(TokenFault::Malformed)?),
        };
        let well_formed = claims.issuer == self.issuer
            && claims.issued_at <= latest
            && claims.authenticated_at <= latest
            && claims.issued_at < claims.expires_at
            && claims.expires_at.since(claims.issued_at) <= LONGEST_TOKEN
            && claims.expires_at <= claims.session_expires_at
            && not_before.is_none_or(|seconds| Timestamp::from_seconds(seconds) <= latest);
        if well_formed { Ok(()) } else { Err(TokenFault::Malformed) }
    }
}

/// The three members that our tokens have; a header with any other is not ours. So there is no `crit`, no `jwk`,
/// no `jku`, `x5u` or `x5c` to follow, and no `b64` or `zip` to be misled by.
struct Header {
    algorithm: Algorithm,
    kid: String,
}

impl Header {
    fn parse(encoded: &str) -> Result<Self, TokenFault> {
        let mut header = parse_object(&decode(encoded)?).map_err(|_| TokenFault::Malformed)?;
        let algorithm = take(&mut header, "alg").as_deref().and_then(Algorithm::of_ours);
        let typ = take(&mut header, "typ");
        let kid = take(&mut header, "kid");
        match (algorithm, typ.as_deref(), kid) {
            (Some(algorithm), Some(TOKEN_TYPE), Some(kid)) if header.is_empty() => {
                Ok(Self { algorithm, kid })
            }
            _ => Err(TokenFault::Malformed),
        }
    }
}

fn take(header: &mut ClaimMap, name: &str) -> Option<String> {
    header.remove(name)?.as_str().map(str::to_owned)
}

fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    Compact::decode(part).filter(|bytes| !bytes.is_empty()).ok_or(TokenFault::Malformed)
}

fn check_signature(key: &SigningKey, header: &Header, token: Compact<'_>) -> Result<(), TokenFault> {
    if header.algorithm != key.algorithm() {
        return Err(TokenFault::Malformed);
    }
    let holds = key.public().verifies(key.algorithm(), token.message.as_bytes(), token.signature);
    if holds { Ok(()) } else { Err(TokenFault::Signature) }
}
