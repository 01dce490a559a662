//! The keys of an OpenID provider (RFC 7517): those of them that may sign ID tokens.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use jsonwebtoken::DecodingKey;
use serde_json::Value;
use tokio::time::Instant;

use super::algorithm::{Algorithm, KeyKind};
use super::discovery::Discovery;
use super::fault::{FaultKind, ProviderFault};
use super::http::{Endpoint, HttpClient};
use super::issuer::{MAX_ISSUER_BYTES, TENANT};
use super::kept::Source;
use crate::model::ClaimMap;

/// More keys are not read.
const MAX_KEYS: usize = 64;
const FRESH_FOR: Duration = Duration::from_hours(1);
const SHORTEST: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(24);

/// The keys of one provider.
#[derive(Debug)]
pub(super) struct Jwks {
    keys: Vec<Key>,
}

struct Key {
    kid: Option<String>,
    kind: KeyKind,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    /// Whose tokens it signs, if it says so, as Microsoft's do: where tenants share a set, some of its keys are of one only.
    issuer: Option<String>,
    public: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?} {:?})", self.kid, self.kind)
    }
}

impl Jwks {
    /// The keys of a set that are for signatures. What we do not know, and symmetric keys, are passed over (section 5).
    pub(super) fn read(set: &ClaimMap) -> Result<Self, ProviderFault> {
        let unusable = |cause: &str| ProviderFault::new(FaultKind::Metadata, format!("jwks: {cause}"));
        let keys = set.get("keys").and_then(Value::as_array).ok_or_else(|| unusable("no keys"))?;
        if keys.len() > MAX_KEYS {
            return Err(unusable("too many keys"));
        }
        let keys: Vec<Key> = keys.iter().filter_map(Value::as_object).filter_map(Key::read).collect();
        if keys.is_empty() { Err(unusable("no key for signatures")) } else { Ok(Self { keys }) }
    }

    /// The keys that may have made a signature: those of that name, of which there may be one for each algorithm; or, where the
    /// token names none, the only one that fits (OpenID Connect Core section 10.1).
    pub(super) fn fitting(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        claims: &ClaimMap,
    ) -> Vec<&DecodingKey> {
        let fits = |key: &&Key| {
            key.kind == algorithm.key_kind()
                && key.algorithm.is_none_or(|only| only == algorithm)
                && (kid.is_none() || key.kid.as_deref() == kid)
                && key.signs(claims)
        };
        let keys: Vec<_> = self.keys.iter().filter(fits).map(|key| &key.public).collect();
        if kid.is_none() && keys.len() > 1 { Vec::new() } else { keys }
    }
}

impl Key {
    fn read(jwk: &ClaimMap) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.contains_key("use") && text("use") != Some("sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops")
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
                // 2048 to 8192 bits: with fewer they are too weak, with more they take too long.
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
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(Algorithm::from_name(alg.as_str()?).filter(|alg| alg.key_kind() == kind)?),
        };
        let name = match jwk.get("kid") {
            None => None,
            Some(name) => Some(name.as_str()?.to_owned()),
        };
        let issuer = match jwk.get("issuer") {
            None => None,
            Some(issuer) => {
                Some(issuer.as_str().filter(|issuer| issuer.len() <= MAX_ISSUER_BYTES)?.to_owned())
            }
        };
        Some(Self { kid: name, kind, algorithm, issuer, public })
    }

    /// Whether a token of these claims is of the issuer that it is for.
    fn signs(&self, claims: &ClaimMap) -> bool {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let Some(issuer) = &self.issuer else { return true };
        let issuer = issuer.replace(TENANT, text("tid").unwrap_or_default());
        text("iss") == Some(issuer.as_str())
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A point of a curve, uncompressed (SEC 1 section 2.3.3).
fn point(x: &[u8], y: &[u8]) -> DecodingKey {
    DecodingKey::from_ec_der(&[&[4], x, y].concat())
}

/// Where the keys come from.
pub(super) struct Published {
    pub(super) discovery: Arc<Discovery>,
    pub(super) http: Arc<HttpClient>,
}

#[async_trait]
impl Source for Published {
    type Item = Jwks;

    async fn fetch(&self, until: Instant) -> Result<(Jwks, Duration), ProviderFault> {
        let endpoints = self.discovery.endpoints(until).await?;
        let answer = self.http.get(Endpoint::Jwks, &endpoints.jwks, until).await?;
        Ok((Jwks::read(&answer.object()?)?, fresh_for(answer.headers())))
    }
}

/// As long as the provider says (RFC 9111 section 5.2.2.1), within bounds.
fn fresh_for(headers: &HeaderMap) -> Duration {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let max_age = directives.flat_map(|value| value.split(',')).find_map(|directive| {
        let (name, seconds) = directive.trim().split_once('=')?;
        let seconds = seconds.trim_matches('"').parse().ok()?;
        name.eq_ignore_ascii_case("max-age").then(|| Duration::from_secs(seconds))
    });
    max_age.unwrap_or(FRESH_FOR).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests;
