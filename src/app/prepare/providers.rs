//! The configured providers: their clients and their rules. No request is sent to them at the start.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::fault::StartFault;
use crate::auth::ProviderRules;
use crate::config::Config;
use crate::model::{Clock, Entropy, ProviderId};
use crate::oauth::{self, Providers};

/// Creates the client of every provider, by id, or returns the faults in their files and keys.
pub(in crate::app) fn connect(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Providers, Vec<StartFault>> {
    let (mut providers, mut faults) = (Providers::new(), Vec::new());
    for provider in &config.providers {
        let id = provider.settings.id.clone();
        match oauth::connect(provider.settings.clone(), Arc::clone(clock), Arc::clone(entropy)) {
            Ok(connected) => drop(providers.insert(id, connected)),
            Err(fault) => faults.push(StartFault::Provider(format!("provider {id}: {fault}"))),
        }
    }
    if faults.is_empty() { Ok(providers) } else { Err(faults) }
}

/// Returns the rules of each provider.
pub(in crate::app) fn rules(config: &Config) -> HashMap<ProviderId, ProviderRules> {
    let of = |provider: &crate::config::Provider| ProviderRules {
        redirect_uris: provider.redirect_uris.clone(),
        link_by_verified_email: provider.link_by_verified_email,
        sync: provider.sync,
        keep_claims: provider.keep_claims.clone(),
    };
    config.providers.iter().map(|provider| (provider.settings.id.clone(), of(provider))).collect()
}
