//! The parts and steps that providers of every kind share.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::fault::{FaultKind, ProviderFault};
use super::proof::ProviderTokens;
use super::provider::{Asked, Turn};
use super::provider_client::ProviderClient;
use super::settings::Settings;
use super::token::OAuthClient;
use crate::model::Clock;

/// The maximum number of codes of one provider that are redeemed at a time.
const TURNS: usize = 128;

/// The parts of every provider.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) provider: Arc<ProviderClient>,
    pub(super) client: OAuthClient,
    pub(super) clock: Arc<dyn Clock>,
    room: Arc<Semaphore>,
}

impl Shared {
    /// Assembles the parts.
    pub(super) fn new(
        settings: Settings,
        provider: ProviderClient,
        client: OAuthClient,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { settings, provider: Arc::new(provider), client, clock, room: Arc::new(Semaphore::new(TURNS)) }
    }

    /// Takes a permit for one code, with its time limit from now on.
    pub(super) fn turn(&self, until: Instant) -> Result<Turn, ProviderFault> {
        match Arc::clone(&self.room).try_acquire_owned() {
            Ok(room) => Ok(Turn { until: self.deadline(until), _room: room }),
            Err(_) => Err(ProviderFault::new(FaultKind::Unreachable, "too many concurrent sign-ins")),
        }
    }

    /// Returns the deadline of all requests of an operation that begins now.
    pub(super) fn deadline(&self, until: Instant) -> Instant {
        until.min(Instant::now() + self.settings.timeout)
    }

    /// Returns the granted scopes, separated by spaces: from the token endpoint, or else as requested (RFC 6749 section
    /// 5.1). Returns `None` if none was granted.
    pub(super) fn granted(&self, tokens: &ProviderTokens, asked: &Asked) -> Option<String> {
        let told = tokens.scope.clone().or_else(|| asked.scope.clone());
        Some(told.unwrap_or_else(|| self.settings.scopes.join(" "))).filter(|scope| !scope.is_empty())
    }
}

/// Rejects an `iss` that is none of these (RFC 9207 section 2.4). A missing one is accepted.
pub(super) fn check_issuer(iss: Option<&str>, issuers: &[&str]) -> Result<(), ProviderFault> {
    match iss {
        Some(iss) if !issuers.contains(&iss) => {
            Err(ProviderFault::new(FaultKind::IssuerMismatch, "iss of another issuer"))
        }
        None | Some(_) => Ok(()),
    }
}
