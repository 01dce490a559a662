//! From a configuration to what a start needs of it: every file that it names is loaded here, once. `config check` ends
//! here; a start goes on with the same values.

use super::builder::App;
use super::fault::StartFault;
use super::{callbacks, keys, providers, rules, secrets};
use crate::auth::Rules;
use crate::jose::SigningKey;
use crate::net::tls::{ClientTls, Tls, TlsFault};
use crate::oauth::Providers;
use crate::tokens::Secrets;

/// A Gatepass that can be started.
pub struct Prepared {
    pub(super) app: App,
    /// The TLS of the gRPC port.
    pub(super) tls: Option<Tls>,
    pub(super) loaded: Loaded,
}

/// The values that are made of the configuration and its files.
pub(super) struct Loaded {
    pub(super) rules: Rules,
    /// The configured secrets; none where one is kept beside the database.
    pub(super) secrets: Option<Secrets>,
    /// The TLS of the callback service.
    pub(super) callback_tls: Option<ClientTls>,
    pub(super) providers: Providers,
    /// The keys of files; none where Gatepass manages its own.
    pub(super) signing_keys: Option<Vec<SigningKey>>,
}

impl App {
    /// Loads every file that the configuration names, or tells all that is wrong with them. It touches no network and no
    /// database.
    pub fn prepare(self) -> Result<Prepared, Vec<StartFault>> {
        let Self { config, clock, entropy, .. } = &self;
        let mut faults = Vec::new();
        let secrets = secrets::configured(config).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let mut keep =
            |faults_of_files: Vec<TlsFault>| faults.extend(faults_of_files.into_iter().map(StartFault::Tls));
        let tls =
            config.server.tls.as_ref().map(|files| Tls::load("server.tls", files.clone(), clock.clone()));
        let tls = tls.transpose().unwrap_or_else(|found| {
            keep(found);
            None
        });
        let callback_tls = callbacks::tls(config, clock).unwrap_or_else(|found| {
            keep(found);
            None
        });
        let (providers, found) = providers::connect(config, clock, entropy);
        faults.extend(found);
        let signing_keys = keys::of_files(config).unwrap_or_else(|found| {
            faults.extend(found.into_iter().map(StartFault::from));
            None
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let loaded = Loaded { rules: rules::build(config), secrets, callback_tls, providers, signing_keys };
        Ok(Prepared { app: self, tls, loaded })
    }
}
