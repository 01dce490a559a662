//! The denials of providers.

use super::proven::Proving;
use crate::auth::callbacks::Denial;
use crate::auth::error::{Error, Result};
use crate::model::DenialReason;
use crate::model::ProviderId;
use crate::oauth::{Meaning, ProviderFault};

/// Makes the denial for a provider that responds with an error.
pub(super) fn provider_error(detail: Option<String>) -> Denial {
    Denial { reason: DenialReason::ProviderError, detail }
}

/// Separates a denial by the provider, which is an outcome, from all other faults, which are errors.
pub(super) fn refused_or_failed(provider: &ProviderId, fault: ProviderFault) -> Result<Proving> {
    match fault.kind.meaning() {
        Meaning::Refused => {
            let code = fault.error.as_deref();
            tracing::warn!(%provider, %fault, code, "provider returned an error");
            Ok(Proving::Refused(provider_error(fault.error)))
        }
        Meaning::Unavailable | Meaning::Misconfigured | Meaning::NoProof => {
            Err(Error::of_provider(provider, fault))
        }
    }
}
