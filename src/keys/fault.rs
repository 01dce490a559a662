//! Faults in using or changing signing keys, and their remedies.

use std::path::PathBuf;

use crate::jose::KeyFault;
use crate::storage::StoreError;

/// The reason why signing keys cannot be used or changed.
#[derive(Debug)]
pub enum KeysFault {
    /// A PEM file could not be read.
    Unreadable(PathBuf, std::io::Error),
    /// A PEM file contains no usable key.
    Pem(PathBuf, KeyFault),
    /// A managed key could not be opened.
    Managed(String, KeyFault),
    /// The newest key, this one, is not sealed by the first secret of this configuration.
    OtherSecret(String),
    /// Creating a key failed.
    NotMade(KeyFault),
    /// No key has this `kid`; the existing ones are listed.
    Unknown(String, Vec<String>),
    /// The keys are PEM files, so Gatepass cannot change them.
    Files,
    /// The database has no table of keys yet.
    NoSchema,
    /// Too many concurrent changes of the keys.
    Contention,
    /// A database request failed.
    Store(StoreError),
}

impl std::fmt::Display for KeysFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(path, cause) => write!(f, "tokens.signing_keys: {}: {cause}", path.display()),
            Self::Pem(path, fault) => write!(f, "tokens.signing_keys: {}: {fault}", path.display()),
            Self::Managed(kid, fault) => write!(
                f,
                "signing key {kid}: {fault}; restore the secret that sealed it in `secrets`, or, if it is lost, \
                 run `gatepass keys revoke {kid}`"
            ),
            Self::OtherSecret(kid) => write!(
                f,
                "signing key {kid} is not sealed by the first of `secrets` here, so replicas might not open \
                 the next key; run this with the replicas' `secrets`, after they have resealed the key"
            ),
            Self::NotMade(fault) => write!(f, "signing key: {fault}"),
            Self::Unknown(kid, there) if there.is_empty() => {
                write!(f, "no signing key {kid}; there are no keys")
            }
            Self::Unknown(kid, there) => {
                write!(f, "no signing key {kid}; the existing keys are:\n{}", there.join("\n"))
            }
            Self::Files => f.write_str(
                "tokens.signing_keys: Gatepass changes only keys that it created; to change keys of files, \
                 edit this list and restart every replica",
            ),
            Self::NoSchema => f.write_str("the database schema is outdated; run `gatepass migrate`"),
            Self::Contention => f.write_str("too many concurrent changes of the signing keys; retry"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeysFault {}

impl From<StoreError> for KeysFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
