//! What providers of every kind have, and do alike.

use std::sync::Arc;

use tokio::time::Instant;

use super::client::OAuthClient;
use super::fault::{FaultKind, ProviderFault};
use super::http::HttpClient;
use super::proof::ProviderTokens;
use super::provider::Asked;
use super::settings::Settings;
use crate::model::Clock;

/// What each has.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) http: Arc<HttpClient>,
    pub(super) client: OAuthClient,
    pub(super) clock: Arc<dyn Clock>,
}

impl Shared {
    /// When all requests of a question that is asked now are over.
    pub(super) fn deadline(&self, until: Instant) -> Instant {
        until.min(Instant::now() + self.settings.timeout)
    }

    /// The scopes that were granted, separated by spaces: as the token endpoint tells, or else as they were asked (RFC 6749
    /// section 5.1). None where none was.
    pub(super) fn granted(&self, tokens: &ProviderTokens, asked: &Asked) -> Option<String> {
        let told = tokens.scope.clone().or_else(|| asked.scope.clone());
        Some(told.unwrap_or_else(|| self.settings.scopes.join(" "))).filter(|scope| !scope.is_empty())
    }
}

/// Refuses an `iss` that is none of these (RFC 9207 section 2.4). One that is missing says nothing.
pub(super) fn check_issuer(iss: Option<&str>, issuers: &[&str]) -> Result<(), ProviderFault> {
    match iss {
        Some(iss) if !issuers.contains(&iss) => {
            Err(ProviderFault::new(FaultKind::IssuerMismatch, "the iss of another issuer"))
        }
        None | Some(_) => Ok(()),
    }
}

/// That there can't be an ID token.
pub(super) fn no_id_tokens() -> ProviderFault {
    ProviderFault::new(FaultKind::IdTokenMissing, "this provider issues no ID tokens")
}
