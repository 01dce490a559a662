//! The keys of an OpenID provider: the issuers that they may sign for, and their lifetime in the cache.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use serde_json::Value;
use tokio::time::Instant;

use super::super::fault::{FaultKind, ProviderFault};
use super::super::provider_client::{Endpoint, ProviderClient};
use super::discovery::Discovery;
use super::issuer::{MAX_ISSUER_BYTES, TENANT};
use crate::jose::{Algorithm, Jwk, JwkSet, PublicKey};
use crate::model::ClaimMap;
use crate::net::Source;

const FRESH_FOR: Duration = Duration::from_hours(1);
const SHORTEST: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(24);

/// The keys of one provider.
#[derive(Debug)]
pub(in crate::oauth) struct ProviderKeys {
    set: JwkSet,
    /// The time at which they were requested. A key that was published before is among them.
    pub(super) requested_at: Instant,
}

impl ProviderKeys {
    /// Reads a set, without the keys of invalid issuers.
    pub(super) fn read(set: &ClaimMap, requested_at: Instant) -> Result<Self, ProviderFault> {
        let keys = JwkSet::read(set, |issuer| issuer.len() <= MAX_ISSUER_BYTES);
        keys.map(|set| Self { set, requested_at })
            .map_err(|fault| ProviderFault::new(FaultKind::Malformed, format!("jwks: {fault}")))
    }

    /// Returns the keys that may have signed a token with these claims.
    pub(super) fn fitting(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        claims: &ClaimMap,
    ) -> Vec<&PublicKey> {
        self.set.fitting(kid, algorithm, |key| signs(key, claims))
    }
}

/// Returns true if a token with these claims is from the issuer of a key, if the key names one. Microsoft's keys do:
/// some keys of a shared set belong to one tenant only.
fn signs(key: &Jwk, claims: &ClaimMap) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let Some(issuer) = key.issuer() else { return true };
    let issuer = issuer.replace(TENANT, text("tid").unwrap_or_default());
    text("iss") == Some(issuer.as_str())
}

/// The source of the keys.
pub(in crate::oauth) struct Published {
    pub(in crate::oauth) discovery: Arc<Discovery>,
    pub(in crate::oauth) client: Arc<ProviderClient>,
}

#[async_trait]
impl Source for Published {
    type Item = ProviderKeys;
    type Fault = ProviderFault;

    async fn fetch(&self, until: Instant) -> Result<(ProviderKeys, Duration), ProviderFault> {
        let endpoints = self.discovery.endpoints(until).await?;
        let requested_at = Instant::now();
        let answer = self.client.get(Endpoint::Jwks, &endpoints.jwks, until).await?;
        Ok((ProviderKeys::read(&answer.object()?, requested_at)?, fresh_for(answer.headers())))
    }

    fn log_stale(&self, fault: &ProviderFault) {
        self.client.log_stale(Endpoint::Jwks, fault);
    }
}

/// Returns the time for which keys are fresh: as the provider says (RFC 9111 section 5.2.2.1), within bounds.
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
