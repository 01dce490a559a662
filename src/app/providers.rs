//! The providers of the configuration: how each is asked, and what is ruled of it. Nothing is asked of any at the start.

use std::collections::HashMap;
use std::sync::Arc;

use super::fault::StartFault;
use crate::auth::ProviderRules;
use crate::config::Config;
use crate::model::{Clock, Entropy, OsEntropy, ProviderId, SystemClock};
use crate::oauth::{self, Provider, Providers};

/// Every provider, by its id.
pub(super) fn connect(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Providers, StartFault> {
    each(config, clock, entropy).collect()
}

/// What is wrong with the files and keys of providers.
pub(super) fn check(config: &Config) -> Vec<StartFault> {
    let (clock, entropy) = (Arc::new(SystemClock) as _, Arc::new(OsEntropy) as _);
    each(config, &clock, &entropy).filter_map(Result::err).collect()
}

fn each(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> impl Iterator<Item = Result<(ProviderId, Arc<dyn Provider>), StartFault>> {
    config.providers.iter().map(move |provider| {
        let id = provider.settings.id.clone();
        match oauth::connect(provider.settings.clone(), Arc::clone(clock), Arc::clone(entropy)) {
            Ok(connected) => Ok((id, connected)),
            Err(fault) => Err(StartFault::Rules(format!("provider {id}: {fault}"))),
        }
    })
}

/// What is ruled of each.
pub(super) fn rules(config: &Config) -> HashMap<ProviderId, ProviderRules> {
    let of = |provider: &crate::config::Provider| ProviderRules {
        redirect_uris: provider.redirect_uris.clone(),
        link_by_verified_email: provider.link_by_verified_email,
    };
    config.providers.iter().map(|provider| (provider.settings.id.clone(), of(provider))).collect()
}
