//! Whether this machine's clock is that of the database. Replicas agree on when tokens, grants and entries of the feed
//! end only as well as their clocks do, and the database's is the one that they all can ask. Two replicas may be on
//! either side of it: what tokens allow for between them is halved here.

use std::time::Duration;

use super::fault::{ClockFault, StartFault};
use crate::model::Clock;
use crate::storage::{DatabaseClock, clock_offset_ms};

/// How often the clocks are compared.
const EVERY: Duration = Duration::from_mins(1);

/// Refuses a clock that differs by more than half the leeway.
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

/// Warns, once each time, when the clocks come to differ by more than a quarter of the leeway.
pub(super) async fn follow(database: &dyn DatabaseClock, clock: &dyn Clock, leeway: Duration) {
    let mut warned = false;
    loop {
        // That the database does not answer is said where the feed is followed.
        let offset_ms = clock_offset_ms(database, clock).await.ok().flatten();
        let differs = offset_ms.is_some_and(|offset_ms| beyond(offset_ms, leeway / 4));
        if differs && !warned {
            let leeway_ms = u64::try_from(leeway.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                offset_ms,
                leeway_ms,
                "this machine's clock drifts from the database's: set the clocks by NTP"
            );
        }
        warned = differs || warned && offset_ms.is_none();
        tokio::time::sleep(EVERY).await;
    }
}

fn beyond(offset_ms: i64, limit: Duration) -> bool {
    u128::from(offset_ms.unsigned_abs()) > limit.as_millis()
}
