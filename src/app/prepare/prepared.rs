//! From a configuration to what a start needs of it: the files that it names are loaded here, once. `config check` ends
//! here; a start goes on with the same values.

use super::{providers, rules, secrets, tls};
use crate::app::builder::App;
use crate::app::fault::StartFault;
use crate::app::keys;
use crate::auth::Rules;
use crate::jose::SigningKey;
use crate::net::tls::{ClientTls, Tls};
use crate::oauth::Providers;
use crate::tokens::Secrets;

/// A Gatepass that can be started.
pub struct Prepared {
    pub(in crate::app) app: App,
    /// The TLS of the gRPC port.
    pub(in crate::app) tls: Option<Tls>,
    pub(in crate::app) loaded: Loaded,
}

/// The values that are made of the configuration and its files.
pub(in crate::app) struct Loaded {
    pub(in crate::app) rules: Rules,
    /// The configured secrets; none where one is kept beside the database.
    pub(in crate::app) secrets: Option<Secrets>,
    /// The TLS of the callback service.
    pub(in crate::app) callback_tls: Option<ClientTls>,
    pub(in crate::app) providers: Providers,
    /// The keys of files; none where Gatepass manages its own.
    pub(in crate::app) signing_keys: Option<Vec<SigningKey>>,
}

impl App {
    /// Loads the files that the configuration names, or tells all that is wrong with them. It touches no network and no
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
        if !found.is_empty() {
            return Err(found);
        }
        let loaded =
            Loaded { rules: rules::build_rules(config), secrets, callback_tls, providers, signing_keys };
        Ok(Prepared { app: self, tls, loaded })
    }
}

/// The outcome; its faults join those found so far.
fn or_default<T: Default>(outcome: Result<T, Vec<StartFault>>, found: &mut Vec<StartFault>) -> T {
    outcome.unwrap_or_else(|faults| {
        found.extend(faults);
        T::default()
    })
}
