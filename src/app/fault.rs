//! The faults that stop a start, and those that may pass.

use std::net::SocketAddr;
use std::time::Duration;

use super::prepare::SecretFileFault;
use crate::keys::KeysFault;
use crate::net::tls::TlsFault;
use crate::storage::StoreError;
use crate::tokens::SecretsFault;

/// The reason why a Gatepass could not start, and never would.
#[derive(Debug)]
pub enum StartFault {
    /// A listener's address can't be had.
    Listen {
        /// The setting that names it.
        setting: &'static str,
        /// The address.
        addr: SocketAddr,
        /// The cause.
        cause: std::io::Error,
    },
    /// A file of `server.tls` or `callbacks.remote.tls` can't be used.
    Tls(TlsFault),
    /// Secrets are unfit.
    Secrets(SecretsFault),
    /// The generated secret can't be kept or read.
    SecretFile(SecretFileFault),
    /// A provider can't be asked.
    Provider(String),
    /// Files or values of the configuration can't be used.
    Unfit(Vec<StartFault>),
    /// Signing keys can't be used.
    Keys(KeysFault),
    /// The database holds what it must not.
    Store(StoreError),
    /// The clock is not that of the database.
    Clock(ClockFault),
}

impl std::fmt::Display for StartFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { setting, addr, cause } => write!(f, "{setting}: can't listen on {addr}: {cause}"),
            Self::Tls(fault) => fault.fmt(f),
            Self::Secrets(fault) => write!(f, "secrets: {fault}"),
            Self::SecretFile(fault) => fault.fmt(f),
            Self::Provider(fault) => f.write_str(fault),
            Self::Unfit(faults) => {
                let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::Keys(fault) => fault.fmt(f),
            Self::Store(fault) => fault.fmt(f),
            Self::Clock(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for StartFault {}

impl StartFault {
    /// Returns true if a later try may succeed: the database, or the folder that it and its secret are in, may come yet.
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
        // What needed the database may work when it comes back.
        if let KeysFault::Store(error) = fault { Self::Store(error) } else { Self::Keys(fault) }
    }
}

/// The clocks differ by more than half of what tokens allow for.
#[derive(Debug)]
pub struct ClockFault {
    /// This machine's clock less the database's, in milliseconds.
    pub(super) offset_ms: i64,
    /// The largest clock skew that tokens allow for.
    pub(super) leeway: Duration,
}

impl std::fmt::Display for ClockFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { offset_ms, leeway } = self;
        write!(
            f,
            "this machine's clock differs from the database's by {offset_ms} ms, more than half of tokens.clock_leeway \
             ({leeway:?}): set the clocks by NTP"
        )
    }
}
