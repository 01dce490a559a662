//! The number of sign-ins, by provider, outcome and reason. A repeated answer is not counted again.

use std::collections::HashSet;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::attempt::Attempt;
use super::outcome::SignInOutcome;
use crate::auth::error::Result;
use crate::model::{DenialReason, ProviderId, Reason};

/// The label of every provider that is not configured: callers may vouch for any.
const OTHER: &str = "other";

/// The counters.
#[derive(Debug, Clone)]
pub struct SignInCounts {
    family: Family<Labels, Counter>,
    providers: HashSet<ProviderId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    provider: String,
    outcome: &'static str,
    reason: &'static str,
}

impl SignInCounts {
    /// Registers the counters of these providers. Those that alerts look at begin at zero.
    pub fn register(registry: &mut Registry, providers: impl IntoIterator<Item = ProviderId>) -> Self {
        let this = Self { family: Family::default(), providers: providers.into_iter().collect() };
        registry.register("gatepass_sign_ins", "Sign-ins, by their outcome", this.family.clone());
        for provider in &this.providers {
            for (outcome, reason) in [
                ("allowed", ""),
                ("denied", DenialReason::ProviderError.name()),
                ("failed", Reason::ProviderMisconfigured.name()),
                ("failed", Reason::ProviderUnavailable.name()),
                ("failed", Reason::CredentialInvalid.name()),
            ] {
                let labels = Labels { provider: provider.to_string(), outcome, reason };
                drop(this.family.get_or_create(&labels));
            }
        }
        this
    }

    /// Counts a sign-in.
    pub(super) fn count(&self, attempt: &Attempt, outcome: &Result<SignInOutcome>) {
        let provider = attempt.provider.as_ref().filter(|id| self.providers.contains(id));
        let (outcome, reason) = match outcome {
            Ok(SignInOutcome::Allowed(allowed)) if allowed.grant.is_none() => ("linked", ""),
            Ok(SignInOutcome::Allowed(_)) => ("allowed", ""),
            Ok(SignInOutcome::Denied(denied)) if attempt.is_reported => {
                ("reported", denied.denial.reason.name())
            }
            Ok(SignInOutcome::Denied(denied)) => ("denied", denied.denial.reason.name()),
            Ok(SignInOutcome::Redirect(_)) => ("redirected", ""),
            Err(error) => ("failed", error.reason().name()),
        };
        let provider = provider.map_or(OTHER, ProviderId::as_str).to_owned();
        self.family.get_or_create(&Labels { provider, outcome, reason }).inc();
    }
}
