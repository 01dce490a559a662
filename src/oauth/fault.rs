//! The faults of providers.

use std::fmt;

pub use crate::model::{ProviderFaultKind as FaultKind, ProviderFaultMeaning as Meaning};
use crate::net::FetchFault;

/// The fault of a provider, or of data from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFault {
    /// Its kind.
    pub kind: FaultKind,
    /// The cause in words, for the log. It holds no code, no token, no secret and no personal data.
    pub cause: String,
    /// The provider's own error code (RFC 6749 section 5.2), if its characters are valid.
    pub error: Option<String>,
}

impl ProviderFault {
    /// Makes a fault of this kind.
    #[must_use]
    pub fn new(kind: FaultKind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), error: None }
    }
}

impl fmt::Display for ProviderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.cause)
    }
}

impl std::error::Error for ProviderFault {}

impl From<FetchFault> for ProviderFault {
    fn from(fault: FetchFault) -> Self {
        let kind = match fault {
            FetchFault::TimedOut => FaultKind::TimedOut,
            FetchFault::GivenUp => FaultKind::Unreachable,
            FetchFault::Throttled => FaultKind::KeysThrottled,
        };
        Self::new(kind, fault.to_string())
    }
}
