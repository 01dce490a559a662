//! An external signed token: its form, and its signature. `jsonwebtoken` checks only the signature here; the caller
//! checks the claims.

use serde_json::Value;

use super::algorithm::Algorithm;
use super::compact::Compact;
use super::fault::{MalformedToken, SignatureFault};
use super::public_key::PublicKey;
use crate::model::claims::member;
use crate::model::{ClaimMap, parse_object, parse_object_leniently};

/// A token of the right form, which proves nothing yet.
pub struct Unverified<'t> {
    algorithm: Algorithm,
    kid: Option<String>,
    token: Compact<'t>,
    claims: ClaimMap,
}

impl<'t> Unverified<'t> {
    /// Reads a token. Only `alg`, `kid` and `typ` of its header are used. Keys in the header (`jwk`, `x5c`), and
    /// addresses of keys (`jku`, `x5u`), are ignored.
    pub fn read(token: &'t str) -> Result<Self, MalformedToken> {
        let malformed = MalformedToken;
        let token = Compact::split(token).ok_or(malformed("not a signed JWT of three parts"))?;
        let decoded = |part: &str| Compact::decode(part).ok_or(malformed("not base64url"));
        let header =
            parse_object(&decoded(token.header)?).map_err(|_| malformed("its header is not JSON"))?;
        let claims = parse_object_leniently(&decoded(token.payload)?)
            .map_err(|_| malformed("its payload is not JSON"))?;
        decoded(token.signature)?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::of_provider);
        let algorithm = algorithm.ok_or(malformed("unsigned, or signed with an unsupported algorithm"))?;
        if header.contains_key("crit") {
            return Err(malformed("unsupported critical extension (crit)"));
        }
        if member(&header, "typ").is_some_and(is_of_another_kind) {
            return Err(malformed("its typ is for another kind of token"));
        }
        let kid = match member(&header, "kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(malformed("its kid is not a string")),
        };
        Ok(Self { algorithm, kid, token, claims })
    }

    /// Returns the algorithm that its header names.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the key that it names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the signed text.
    #[must_use]
    pub fn message(&self) -> &'t str {
        self.token.message
    }

    /// Returns the claims, which are unverified.
    #[must_use]
    pub fn claims(&self) -> &ClaimMap {
        &self.claims
    }

    /// Takes the claims out.
    #[must_use]
    pub fn into_claims(self) -> ClaimMap {
        self.claims
    }

    /// Checks the signature, which must exist, with the matching keys.
    pub fn check_signature(&self, keys: &[&PublicKey]) -> Result<(), SignatureFault> {
        let message = self.token.message.as_bytes();
        let holds = |key: &&PublicKey| key.verifies(self.algorithm, message, self.token.signature);
        match (keys.is_empty(), keys.iter().any(holds), &self.kid) {
            (true, ..) => Err(SignatureFault::KeyUnknown),
            (false, true, _) => Ok(()),
            (false, false, Some(_)) => Err(SignatureFault::Invalid),
            (false, false, None) => Err(SignatureFault::PerhapsOld),
        }
    }
}

/// Returns true if its type is another one, such as an access token (`at+jwt`) or a logout token (RFC 8725 section
/// 3.11).
fn is_of_another_kind(typ: &Value) -> bool {
    typ.as_str().is_none_or(|typ| typ.to_ascii_lowercase().ends_with("+jwt"))
}
