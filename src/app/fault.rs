//! The faults that stop a start, and the temporary ones among them.

use std::net::SocketAddr;
use std::time::Duration;

use super::prepare::SecretFileFault;
use crate::keys::KeysFault;
use crate::net::tls::TlsFault;
use crate::storage::StoreError;
use crate::tokens::{MAX_TOKEN_BYTES, SecretsFault};

/// The reason why Gatepass cannot start.
#[derive(Debug)]
pub enum StartFault {
    /// Listening on an address failed.
    Listen {
        /// The setting that contains the address.
        setting: &'static str,
        /// The address.
        addr: SocketAddr,
        /// The cause.
        cause: std::io::Error,
    },
    /// A file of `server.tls` or `callbacks.remote.tls` is unusable.
    Tls(TlsFault),
    /// The secrets are invalid.
    Secrets(SecretsFault),
    /// The generated secret could not be stored or read.
    SecretFile(SecretFileFault),
    /// A provider's settings are unusable.
    Provider(String),
    /// Files or values of the configuration are unusable.
    Unfit(Vec<StartFault>),
    /// An access token of this issuer for all audiences could exceed the largest size.
    TokenSize,
    /// The signing keys are unusable.
    Keys(KeysFault),
    /// The database is unavailable or its contents are invalid.
    Store(StoreError),
    /// This machine's clock differs from the database's.
    Clock(ClockFault),
}

impl std::fmt::Display for StartFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { setting, addr, cause } => write!(f, "{setting}: cannot listen on {addr}: {cause}"),
            Self::Tls(fault) => fault.fmt(f),
            Self::Secrets(fault) => write!(f, "secrets: {fault}"),
            Self::SecretFile(fault) => fault.fmt(f),
            Self::Provider(fault) => f.write_str(fault),
            Self::Unfit(faults) => {
                let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::TokenSize => write!(
                f,
                "tokens.audiences: an access token with the issuer and all audiences could exceed {MAX_TOKEN_BYTES} bytes; \
                 give fewer or shorter audiences, or a shorter issuer"
            ),
            Self::Keys(fault) => fault.fmt(f),
            Self::Store(fault) => fault.fmt(f),
            Self::Clock(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for StartFault {}

impl StartFault {
    /// Returns true if a retry may succeed. The database, or the folder of it and its secret, may become available, or
    /// the clock may be corrected.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_)) | Self::Clock(_) => true,
            Self::SecretFile(SecretFileFault::Io(_, cause)) => cause.kind() == std::io::ErrorKind::NotFound,
            Self::Listen { .. }
            | Self::Tls(_)
            | Self::Secrets(_)
            | Self::SecretFile(_)
            | Self::Provider(_)
            | Self::Unfit(_)
            | Self::TokenSize
            | Self::Keys(_)
            | Self::Store(StoreError::Broken(_)) => false,
        }
    }
}

impl From<StoreError> for StartFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<KeysFault> for StartFault {
    fn from(fault: KeysFault) -> Self {
        // A step that needed the database may succeed when it is available again.
        if let KeysFault::Store(error) = fault { Self::Store(error) } else { Self::Keys(fault) }
    }
}

/// The clock skew exceeds half of what tokens tolerate.
#[derive(Debug)]
pub struct ClockFault {
    /// This machine's clock minus the database's, in milliseconds.
    pub(super) offset_ms: i64,
    /// The largest clock skew that tokens tolerate.
    pub(super) leeway: Duration,
}

impl std::fmt::Display for ClockFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { offset_ms, leeway } = self;
        write!(
            f,
            "this machine's clock differs from the database's by {offset_ms} ms, more than half of tokens.clock_leeway \
             ({leeway:?}): synchronize the clocks with NTP"
        )
    }
}
