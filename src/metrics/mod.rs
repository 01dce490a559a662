//! Floor 1, metric types for the floors above: lock-free histograms, and gauges that are read on demand. Each metric is
//! defined next to the code that it measures. `app` collects the metrics in one registry; `http` serves it as text.

mod durations;
mod left_out_claims;
mod reading;

pub use durations::Durations;
pub use left_out_claims::LeftOutClaims;
pub use reading::Reading;
