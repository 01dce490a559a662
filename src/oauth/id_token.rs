//! ID tokens (OpenID Connect Core section 3.1.3.7): their form and their signature. `jsonwebtoken` checks the signature here and
//! nothing else, as in `tokens`; what a token says is for `claims`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::fault::{FaultKind, ProviderFault};
use super::jwks::Jwks;
use crate::model::{ClaimMap, parse_object, parse_object_leniently};

mod claims;

pub(super) use claims::{Expected, IdToken};

/// More bytes are not read.
const MAX_BYTES: usize = 16 << 10;

/// A token of the right form, which proves nothing yet.
pub(super) struct Unverified<'t> {
    algorithm: Algorithm,
    kid: Option<String>,
    /// What is signed.
    message: &'t str,
    signature: &'t str,
    claims: ClaimMap,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureFault {
    /// No key fits. Newer keys may.
    KeyUnknown,
    /// It is not of the key that the token names.
    Invalid,
    /// It is not of the only key there is; the token names none. It may be of a newer one.
    PerhapsOld,
}

impl From<SignatureFault> for ProviderFault {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::KeyUnknown => {
                Self::new(FaultKind::IdTokenKeyUnknown, "no key of the provider's fits the ID token")
            }
            SignatureFault::Invalid | SignatureFault::PerhapsOld => {
                Self::new(FaultKind::IdTokenSignature, "the signature of the ID token does not hold")
            }
        }
    }
}

impl<'t> Unverified<'t> {
    /// Reads a token. Of its header `alg`, `kid` and `typ` are looked at: keys that it brings along (`jwk`, `x5c`) or says where
    /// to fetch (`jku`, `x5u`) count for nothing.
    pub(super) fn read(token: &'t str) -> Result<Self, ProviderFault> {
        if token.len() > MAX_BYTES {
            return Err(malformed("more bytes than an ID token has"));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("not a signed JWT of three parts"));
        };
        let message = &token[..header.len() + 1 + payload.len()];
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("not base64url"));
        let header = parse_object(&decoded(header)?).map_err(|_| malformed("no JSON in its header"))?;
        let claims =
            parse_object_leniently(&decoded(payload)?).map_err(|_| malformed("no JSON in its payload"))?;
        decoded(signature)?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
        let algorithm =
            algorithm.ok_or_else(|| malformed("not signed, or with an algorithm that is not accepted"))?;
        if header.contains_key("crit") {
            return Err(malformed("an extension that must be understood (crit)"));
        }
        if header.get("typ").is_some_and(is_of_another_kind) {
            return Err(malformed("its typ is that of another kind of token"));
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(malformed("its kid is no text")),
        };
        Ok(Self { algorithm, kid, message, signature, claims })
    }

    /// Checks the signature, of which there must be one.
    pub(super) fn check_signature(&self, keys: &Jwks) -> Result<(), SignatureFault> {
        let keys = keys.fitting(self.kid.as_deref(), self.algorithm, &self.claims);
        let message = self.message.as_bytes();
        let holds = |key| {
            jsonwebtoken::crypto::verify(self.signature, message, key, self.algorithm.in_library())
                .unwrap_or(false)
        };
        match (keys.is_empty(), keys.into_iter().any(holds), &self.kid) {
            (true, ..) => Err(SignatureFault::KeyUnknown),
            (false, true, _) => Ok(()),
            (false, false, Some(_)) => Err(SignatureFault::Invalid),
            (false, false, None) => Err(SignatureFault::PerhapsOld),
        }
    }
}

/// Whether it says to be something else, such as an access token (`at+jwt`) or a logout token (RFC 8725 section 3.11).
fn is_of_another_kind(typ: &Value) -> bool {
    typ.as_str().is_none_or(|typ| typ.to_ascii_lowercase().ends_with("+jwt"))
}

fn malformed(cause: &str) -> ProviderFault {
    ProviderFault::new(FaultKind::IdTokenMalformed, format!("the ID token: {cause}"))
}

#[cfg(test)]
mod tests;
