//! The secrets: those of the configuration, or the one stored beside the database.

use super::secret_file;
use crate::app::fault::StartFault;
use crate::config::Config;
use crate::model::Entropy;
use crate::tokens::Secrets;

/// Returns the configured secrets, if there are any.
pub(in crate::app) fn configured_secrets(config: &Config) -> Result<Option<Secrets>, StartFault> {
    let secrets = config.secrets.as_deref().map(Secrets::new);
    secrets.transpose().map_err(StartFault::Secrets)
}

/// Returns the secret stored beside the database, and generates it if it is missing.
pub(in crate::app) fn kept_secret(config: &Config, entropy: &dyn Entropy) -> Result<Secrets, StartFault> {
    let kept = secret_file::beside(&config.database.url, entropy).map_err(StartFault::SecretFile)?;
    Secrets::new(&[kept]).map_err(StartFault::Secrets)
}
