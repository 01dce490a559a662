//! A gauge whose value is read from its source on demand.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// A gauge that is read on demand.
pub struct Reading<F> {
    /// Its name, without the unit.
    pub name: &'static str,
    /// Its help text.
    pub help: &'static str,
    /// Its unit, appended to the name.
    pub unit: Unit,
    /// Reads its present value; if there is none, the gauge is not exposed.
    pub read: F,
}

impl<F: Fn() -> Option<f64> + Send + Sync + 'static> Collector for Reading<F> {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Some(value) = (self.read)() else { return Ok(()) };
        let metric = encoder.encode_descriptor(self.name, self.help, Some(&self.unit), MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }
}

impl<F> fmt::Debug for Reading<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("name", &self.name).finish_non_exhaustive()
    }
}
