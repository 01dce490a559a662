//! Time: the injected clock, its timestamps, and an instant that includes the time a machine was suspended.

mod clock;
mod suspend_aware_instant;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use suspend_aware_instant::SuspendAwareInstant;
