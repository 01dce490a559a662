//! Checks for skew between this machine's clock and the database's. Expiry of tokens, grants and feed entries is only
//! as accurate as the replicas' clocks. All replicas can compare theirs with the database's. Two replicas may differ
//! from it in opposite directions, so each is allowed half the skew that tokens tolerate.

use std::time::Duration;

use super::fault::{ClockFault, StartFault};
use crate::model::Clock;
use crate::storage::{DatabaseClock, clock_offset_ms};

/// The interval between clock comparisons.
const EVERY: Duration = Duration::from_mins(1);

/// Rejects a clock that differs by more than half the leeway.
pub(super) async fn check(
    database: &dyn DatabaseClock,
    clock: &dyn Clock,
    leeway: Duration,
) -> Result<(), StartFault> {
    match clock_offset_ms(database, clock).await? {
        Some(offset_ms) if beyond(offset_ms, leeway / 2) => {
            Err(StartFault::Clock(ClockFault { offset_ms, leeway }))
        }
        _ => Ok(()),
    }
}

/// Logs a warning when the clocks begin to differ by more than a quarter of the leeway.
pub(super) async fn follow(database: &dyn DatabaseClock, clock: &dyn Clock, leeway: Duration) {
    let mut warned = false;
    loop {
        // The follower of the feed reports an unavailable database.
        let offset_ms = clock_offset_ms(database, clock).await.ok().flatten();
        let differs = offset_ms.is_some_and(|offset_ms| beyond(offset_ms, leeway / 4));
        if differs && !warned {
            let leeway_ms = u64::try_from(leeway.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                offset_ms,
                leeway_ms,
                "clock differs from the database's; synchronize the clocks with NTP"
            );
        }
        warned = differs || warned && offset_ms.is_none();
        tokio::time::sleep(EVERY).await;
    }
}

fn beyond(offset_ms: i64, limit: Duration) -> bool {
    u128::from(offset_ms.unsigned_abs()) > limit.as_millis()
}
