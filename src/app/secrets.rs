//! The secrets: those of the configuration, or the one that is kept beside the database.

use super::fault::StartFault;
use super::secret_file;
use crate::config::Config;
use crate::model::Entropy;
use crate::tokens::Secrets;

/// The configured secrets, if there are any.
pub(super) fn configured(config: &Config) -> Result<Option<Secrets>, StartFault> {
    let secrets = config.secrets.as_deref().map(Secrets::new);
    secrets.transpose().map_err(StartFault::Secrets)
}

/// The secret that is kept beside the database, made if it is missing.
pub(super) fn kept(config: &Config, entropy: &dyn Entropy) -> Result<Secrets, StartFault> {
    let kept = secret_file::beside(&config.database.url, entropy).map_err(StartFault::SecretFile)?;
    Secrets::new(&[kept]).map_err(StartFault::Secrets)
}
