//! Time: the clock that is passed in, its timestamps, and an instant that counts the machine's sleep.

mod clock;
mod suspend_aware_instant;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use suspend_aware_instant::SuspendAwareInstant;
