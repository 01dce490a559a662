//! The providers of the configuration: how each is asked, and what is ruled of it. Nothing is asked of any at the start.

use std::collections::HashMap;
use std::sync::Arc;

use super::fault::StartFault;
use crate::auth::ProviderRules;
use crate::config::Config;
use crate::model::{Clock, Entropy, OsEntropy, ProviderId, SystemClock};
use crate::oauth::{self, Providers};

/// Every provider, by its id.
pub(super) fn connect(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Providers, StartFault> {
    let mut providers = Providers::new();
    for provider in &config.providers {
        let id = provider.settings.id.clone();
        let connected = oauth::connect(provider.settings.clone(), Arc::clone(clock), Arc::clone(entropy));
        let connected = connected.map_err(|fault| StartFault::Rules(format!("provider {id}: {fault}")))?;
        providers.insert(id, connected);
    }
    Ok(providers)
}

/// Finds what is wrong with the files and keys of providers.
pub(super) fn check(config: &Config) -> Result<(), StartFault> {
    connect(config, &(Arc::new(SystemClock) as _), &(Arc::new(OsEntropy) as _)).map(drop)
}

/// What is ruled of each.
pub(super) fn rules(config: &Config) -> HashMap<ProviderId, ProviderRules> {
    let of = |provider: &crate::config::Provider| ProviderRules {
        redirect_uris: provider.redirect_uris.clone(),
        link_by_verified_email: provider.link_by_verified_email,
    };
    config.providers.iter().map(|provider| (provider.settings.id.clone(), of(provider))).collect()
}
