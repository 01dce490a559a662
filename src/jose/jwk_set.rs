//! Published keys (RFC 7517): those that may sign tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::Value;

use super::algorithm::{Algorithm, KeyKind};
use super::fault::JwkSetFault;
use super::public_key::PublicKey;
use crate::model::ClaimMap;
use crate::model::claims::member;

/// The maximum number of keys for signatures in a set.
const MAX_KEYS: usize = 256;

/// The keys of one publisher.
#[derive(Debug)]
pub struct JwkSet(Vec<Jwk>);

/// One key of a set.
pub struct Jwk {
    kid: Option<String>,
    kind: KeyKind,
    /// The one algorithm of the key, if it names one.
    algorithm: Option<Algorithm>,
    /// The issuer whose tokens it signs, if it names one. Microsoft's keys do: some keys of a shared set belong to one
    /// tenant only.
    issuer: Option<String>,
    public: PublicKey,
}

impl std::fmt::Debug for Jwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jwk({:?} {:?})", self.kid, self.kind)
    }
}

impl JwkSet {
    /// Reads the keys of a set that are for signatures. Unknown and symmetric keys are skipped (section 5), and so are
    /// keys whose `issuer` the caller rejects.
    pub fn read(set: &ClaimMap, issuer: impl Fn(&str) -> bool) -> Result<Self, JwkSetFault> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwkSetFault::NoKeys)?;
        let keys = keys.iter().filter_map(Value::as_object).filter_map(Jwk::read);
        let keys: Vec<Jwk> = keys.filter(|key| key.issuer().is_none_or(&issuer)).collect();
        match keys.len() {
            0 => Err(JwkSetFault::NoneForSignatures),
            1..=MAX_KEYS => Ok(Self(keys)),
            _ => Err(JwkSetFault::TooMany),
        }
    }

    /// Returns the keys that may have made a signature, of those that are allowed to. If the token names a key, these
    /// are the keys of that name, possibly one for each algorithm. Otherwise it is the only key that fits (OpenID
    /// Connect Core section 10.1).
    pub fn fitting(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        may_sign: impl Fn(&Jwk) -> bool,
    ) -> Vec<&PublicKey> {
        let fits = |key: &&Jwk| {
            key.kind == algorithm.key_kind()
                && key.algorithm.is_none_or(|only| only == algorithm)
                && (kid.is_none() || key.kid.as_deref() == kid)
                && may_sign(key)
        };
        let keys: Vec<_> = self.0.iter().filter(fits).map(|key| &key.public).collect();
        if kid.is_none() && keys.len() > 1 { Vec::new() } else { keys }
    }
}

impl Jwk {
    /// Returns the issuer whose tokens it signs, as written, if it names one.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    fn read(jwk: &ClaimMap) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if member(jwk, "use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(operations) = member(jwk, "key_ops")
            && !operations.as_array()?.iter().any(|operation| operation == "verify")
        {
            return None;
        }
        let coordinate = |name: &str, length: usize| bytes(text(name)?).filter(|bytes| bytes.len() == length);
        let (kind, public) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (modulus, exponent) = (bytes(text("n")?)?, bytes(text("e")?)?);
                let begin = modulus.iter().position(|byte| *byte != 0)?;
                let modulus = &modulus[begin..];
                // 2048 to 8192 bits: shorter keys are too weak, longer ones too slow.
                if !(256..=1024).contains(&modulus.len()) || modulus.len() == 256 && modulus[0] < 0x80 {
                    return None;
                }
                (KeyKind::Rsa, DecodingKey::from_rsa_raw_components(modulus, &exponent))
            }
            ("EC", Some("P-256")) => (KeyKind::P256, point(&coordinate("x", 32)?, &coordinate("y", 32)?)),
            ("EC", Some("P-384")) => (KeyKind::P384, point(&coordinate("x", 48)?, &coordinate("y", 48)?)),
            ("OKP", Some("Ed25519")) => (KeyKind::Ed25519, DecodingKey::from_ed_der(&coordinate("x", 32)?)),
            _ => return None,
        };
        let algorithm = match member(jwk, "alg") {
            None => None,
            Some(alg) => Some(Algorithm::of_provider(alg.as_str()?).filter(|alg| alg.key_kind() == kind)?),
        };
        let name = match member(jwk, "kid") {
            None => None,
            Some(name) => Some(name.as_str()?.to_owned()),
        };
        let issuer = match member(jwk, "issuer") {
            None => None,
            Some(issuer) => Some(issuer.as_str()?.to_owned()),
        };
        Some(Self { kid: name, kind, algorithm, issuer, public: PublicKey(public) })
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes a point of a curve, uncompressed (SEC 1 section 2.3.3).
fn point(x: &[u8], y: &[u8]) -> DecodingKey {
    DecodingKey::from_ec_der(&[&[4], x, y].concat())
}

#[cfg(test)]
mod tests;
