//! The verifier of access tokens. `jsonwebtoken` only checks signatures here. It ignores `crit`, accepts an `iss`
//! array, any `typ` and any `exp`, and keeps the last of two equal names. RFC 8725 explains these risks.

use std::sync::Arc;
use std::time::Duration;

use super::claims::AccessClaims;
use super::limits::{MAX_TOKEN_BYTES, TOKEN_TYPE};
use super::ring::{KeyMissing, KeyRing};
use crate::jose::{Algorithm, Compact, SigningKey};
use crate::model::{ClaimMap, LONGEST_TOKEN, Timestamp, parse_object};

/// The reason for rejecting a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// The token does not have the form that Gatepass issues.
    Malformed,
    /// The signature is not valid for the key.
    Signature,
    /// The named key is not in the ring.
    UnknownKey,
    /// The token has expired.
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

/// Verifies that a token was signed by this issuer's keys and is valid at the given time.
#[derive(Debug, Clone)]
pub struct Verifier {
    ring: Arc<KeyRing>,
    issuer: String,
    leeway: Duration,
}

impl Verifier {
    /// Creates a verifier of this issuer's tokens; `leeway` is the clock skew tolerated.
    #[must_use]
    pub fn new(ring: Arc<KeyRing>, issuer: String, leeway: Duration) -> Self {
        Self { ring, issuer, leeway }
    }

    /// Verifies a token at this time; returns its claims and the `kid` of its key.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<(AccessClaims, String), TokenFault> {
        let (claims, kid) = self.verify_genuine(token, now)?;
        if self.is_expired(claims.expires_at, now) { Err(TokenFault::Expired) } else { Ok((claims, kid)) }
    }

    /// Verifies that Gatepass issued a token, expired or not; sign-out needs this.
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

    /// Tells whether a token with this `exp` has expired.
    #[must_use]
    pub fn is_expired(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        now >= expires_at.plus(self.leeway)
    }

    /// Tells whether a key still verifies; tokens verified with a removed key are no longer valid.
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

/// The three header members of an issued token; a header with any other is rejected. So it cannot contain `crit`,
/// `jwk`, `jku`, `x5u`, `x5c`, `b64` or `zip`.
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
