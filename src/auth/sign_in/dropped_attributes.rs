//! The metric of the attributes that cleaning dropped from profiles.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::model::{Attribute, ProviderId};

/// The label of providers that are not configured, so that callers can't make any number of time series.
const OTHER: &str = "other";

/// Counts the attributes that cleaning dropped.
#[derive(Debug, Clone, Default)]
pub struct DroppedAttributes(Family<Labels, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    provider: String,
    attribute: &'static str,
}

impl DroppedAttributes {
    /// Registers the metric.
    pub fn register(registry: &mut Registry) -> Self {
        let this = Self::default();
        registry.register(
            "gatepass_profile_attributes_dropped",
            "Attributes of people that could not be used, by provider and attribute",
            this.0.clone(),
        );
        this
    }

    /// Makes the time series of a configured provider, at zero.
    pub fn expect(&self, provider: &ProviderId) {
        for attribute in Attribute::ALL {
            drop(self.series(provider.as_str(), *attribute));
        }
    }

    /// Counts what was dropped from a profile of this provider; `None` if it is not configured.
    pub(super) fn count(&self, provider: Option<&ProviderId>, dropped: &[Attribute]) {
        for attribute in dropped {
            self.series(provider.map_or(OTHER, ProviderId::as_str), *attribute).inc();
        }
    }

    fn series(&self, provider: &str, attribute: Attribute) -> Counter {
        let labels = Labels { provider: provider.to_owned(), attribute: attribute.name() };
        self.0.get_or_create_owned(&labels)
    }
}
