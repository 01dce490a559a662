//! The values made from the configuration before the server listens.

mod prepared;
mod providers;
mod rules;
mod secret_file;
mod secrets;
mod tls;
mod token_size;

pub(super) use prepared::Loaded;
pub use prepared::Prepared;
pub(super) use rules::{build_rules, callers, open_callers, sweeping};
pub(super) use secret_file::SecretFileFault;
pub(super) use secrets::{configured_secrets, kept_secret};
