//! Preparation: loads the files named in the configuration, once. `config check` ends here; a start continues with the
//! same values.

use super::{providers, rules, secrets, tls, token_size};
use crate::app::builder::App;
use crate::app::fault::StartFault;
use crate::app::keys;
use crate::auth::Rules;
use crate::jose::SigningKey;
use crate::net::tls::{ClientTls, Tls};
use crate::oauth::Providers;
use crate::tokens::Secrets;

/// A Gatepass server that is ready to start.
pub struct Prepared {
    pub(in crate::app) app: App,
    /// The TLS of the gRPC port.
    pub(in crate::app) tls: Option<Tls>,
    pub(in crate::app) loaded: Loaded,
}

/// The values made from the configuration and its files.
pub(in crate::app) struct Loaded {
    pub(in crate::app) rules: Rules,
    /// The configured secrets; `None` if a generated one is stored beside the database.
    pub(in crate::app) secrets: Option<Secrets>,
    /// The TLS of the callback service.
    pub(in crate::app) callback_tls: Option<ClientTls>,
    pub(in crate::app) providers: Providers,
    /// The keys from files; `None` if Gatepass manages its own.
    pub(in crate::app) signing_keys: Option<Vec<SigningKey>>,
}

impl App {
    /// Loads the files named in the configuration, or returns all their faults. It uses neither the network nor the
    /// database.
    pub fn prepare(self) -> Result<Prepared, Vec<StartFault>> {
        let Self { config, clock, entropy, .. } = &self;
        let mut found = Vec::new();
        let secrets =
            or_default(secrets::configured_secrets(config).map_err(|fault| vec![fault]), &mut found);
        let tls = or_default(tls::of_server(config, clock), &mut found);
        let callback_tls = or_default(tls::of_callbacks(config, clock), &mut found);
        let providers = or_default(providers::connect(config, clock, entropy), &mut found);
        let signing_keys = or_default(keys::of_files(config), &mut found);
        let rules = rules::build_rules(config);
        found.extend(token_size::check(config, &rules, signing_keys.as_deref()).err());
        if !found.is_empty() {
            return Err(found);
        }
        let loaded = Loaded { rules, secrets, callback_tls, providers, signing_keys };
        Ok(Prepared { app: self, tls, loaded })
    }
}

/// Returns the outcome; adds its faults to those found so far.
fn or_default<T: Default>(outcome: Result<T, Vec<StartFault>>, found: &mut Vec<StartFault>) -> T {
    outcome.unwrap_or_else(|faults| {
        found.extend(faults);
        T::default()
    })
}
