//! Floor 1: what the floors above measure with: durations that are counted without a lock, and gauges that are read
//! when somebody asks. Which metrics there are is said next to what they measure; `app` puts them into one registry,
//! `http` serves its text.

mod durations;
mod reading;

pub use durations::Durations;
pub use reading::Reading;
