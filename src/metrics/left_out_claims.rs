//! The number of stored claims that were left out, because they no longer have their declared type.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counts stored claims that were left out.
#[derive(Debug, Clone, Default)]
pub struct LeftOutClaims(Counter);

impl LeftOutClaims {
    /// Makes the counter in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let counter = Counter::default();
        let help =
            "Stored claims that were left out, because they do not have the type of the section claims";
        registry.register("gatepass_claims_left_out", help, counter.clone());
        Self(counter)
    }

    /// Counts this many claims.
    pub fn add(&self, claims: usize) {
        self.0.inc_by(claims as u64);
    }
}
