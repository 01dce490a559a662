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

/// The most codes of one provider that are redeemed at a time.
const TURNS: usize = 128;

/// The parts of each.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) provider: Arc<ProviderClient>,
    pub(super) client: OAuthClient,
    pub(super) clock: Arc<dyn Clock>,
    room: Arc<Semaphore>,
}

impl Shared {
    /// Puts the parts together.
    pub(super) fn new(
        settings: Settings,
        provider: ProviderClient,
        client: OAuthClient,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { settings, provider: Arc::new(provider), client, clock, room: Arc::new(Semaphore::new(TURNS)) }
    }

    /// Room for one code, and the time that it has from now on.
    pub(super) fn turn(&self, until: Instant) -> Result<Turn, ProviderFault> {
        match Arc::clone(&self.room).try_acquire_owned() {
            Ok(room) => Ok(Turn { until: self.deadline(until), _room: room }),
            Err(_) => Err(ProviderFault::new(FaultKind::Unreachable, "too many sign-ins are under way")),
        }
    }

    /// Answers the deadline of all requests for a question that is asked now.
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
