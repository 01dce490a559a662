//! Housekeeping: every replica removes expired rows, in small batches with random pauses. This loop decides when a row
//! has expired, by a steady clock. `storage/stores/sweep.rs` finds and removes the rows. The key maintenance in `keys/`
//! removes retired signing keys.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{Clock, Entropy, Timestamp, random, spread};
use crate::storage::{StoreResult, Sweep, Sweepable, TrustedClock};

/// The most rows of a batch. SQLite has one writer at a time, and calls wait while a batch is removed.
const BATCH: u64 = 100;

/// The pause after a batch that removed rows, and how many times the batch's duration is added to it. So the pause is
/// longer if the database is slow.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_FACTOR: u32 = 4;

/// The pause if there is nothing to remove, or if the database is unavailable.
const REST: Duration = Duration::from_mins(5);

/// The time for which an expired grant is distinguished from an unknown one.
const GRANT_KEPT: Duration = Duration::from_hours(1);

/// The time for which a used mark is kept after the item's expiry. A call may validate the item in time, then wait for
/// a callback or a lock. It must still find the mark.
const MARK_KEPT: Duration = Duration::from_hours(1);

/// The time for which an ended session is distinguished from an unknown one.
const SESSION_KEPT: Duration = Duration::from_hours(24);

/// The configured retention times.
#[derive(Debug, Clone, Copy)]
pub(super) struct SweepRules {
    /// The age at which a session can no longer be refreshed.
    pub(super) max_age: Duration,
    /// The largest clock skew between replicas.
    pub(super) clock_leeway: Duration,
    /// The age at which a row of the auth log is removed.
    pub(super) log_retention: Duration,
}

impl SweepRules {
    /// Returns the kinds of rows to remove at this time.
    fn over(&self, now: Timestamp) -> [Sweepable; 6] {
        let expired_before = now.minus(SESSION_KEPT);
        [
            Sweepable::Unredeemed(now.minus(GRANT_KEPT)),
            Sweepable::Ended(now.minus(SESSION_KEPT)),
            Sweepable::Outlived { opened_before: expired_before.minus(self.max_age), expired_before },
            Sweepable::Revocations(now.minus(self.clock_leeway)),
            Sweepable::AuthLog(now.minus(self.log_retention)),
            Sweepable::UsedMarks(now.minus(MARK_KEPT)),
        ]
    }
}

/// Removes expired rows.
pub(super) struct Sweeper {
    pub(super) store: Arc<dyn Sweep>,
    pub(super) rules: SweepRules,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) steady: Arc<TrustedClock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

/// The numbers of rows removed.
#[derive(Debug, Default)]
struct Swept {
    sessions: u64,
    revocations: u64,
    log_rows: u64,
    used_marks: u64,
}

impl Swept {
    fn add(&mut self, what: Sweepable, removed: u64) {
        match what {
            Sweepable::Unredeemed(_) | Sweepable::Ended(_) | Sweepable::Outlived { .. } => {
                self.sessions += removed;
            }
            Sweepable::Revocations(_) => self.revocations += removed,
            Sweepable::AuthLog(_) => self.log_rows += removed,
            Sweepable::UsedMarks(_) => self.used_marks += removed,
        }
    }

    fn tell(&self) {
        let Self { sessions, revocations, log_rows, used_marks } = *self;
        if sessions + revocations + log_rows + used_marks > 0 {
            tracing::info!(sessions, revocations, log_rows, used_marks, "expired rows deleted");
        }
    }
}

impl Sweeper {
    /// Sweeps without end.
    pub(super) async fn sweep(&self) {
        let mut failing = false;
        self.pause(PAUSE).await;
        loop {
            let mut swept = Swept::default();
            let round = self.round(&mut swept).await;
            swept.tell();
            if let Err(error) = &round
                && !failing
            {
                tracing::warn!(%error, "cleanup failed");
            }
            failing = round.is_err();
            self.pause(REST).await;
        }
    }

    /// Removes all rows that have expired by now, one batch of each kind in turn. If the clock jumps meanwhile, no
    /// additional rows are removed.
    async fn round(&self, swept: &mut Swept) -> StoreResult<()> {
        let Some(now) = self.steady.settle(self.clock.now()).await? else { return Ok(()) };
        loop {
            let mut found = false;
            for what in self.rules.over(now) {
                let begin = Instant::now();
                let removed = self.store.sweep(what, BATCH).await?;
                swept.add(what, removed);
                if removed > 0 {
                    found = true;
                    self.pause(PAUSE + begin.elapsed() * PAUSE_FACTOR).await;
                }
            }
            if !found {
                return Ok(());
            }
        }
    }

    /// Sleeps for between half and one and a half of `about`, so that replicas do not sweep in step.
    async fn pause(&self, about: Duration) {
        tokio::time::sleep(jittered(about, random(&*self.entropy))).await;
    }
}

fn jittered(about: Duration, noise: [u8; 2]) -> Duration {
    spread(about / 2, about * 3 / 2, noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_row_has_its_own_retention() {
        let hours = Duration::from_hours;
        let rules = SweepRules {
            max_age: hours(24 * 90),
            clock_leeway: Duration::from_secs(10),
            log_retention: hours(24 * 400),
        };
        let ago = |age| Timestamp(2_000_000_000_000).minus(age);
        let wanted = [
            Sweepable::Unredeemed(ago(hours(1))),
            Sweepable::Ended(ago(hours(24))),
            Sweepable::Outlived { opened_before: ago(hours(24 * 91)), expired_before: ago(hours(24)) },
            Sweepable::Revocations(ago(Duration::from_secs(10))),
            Sweepable::AuthLog(ago(hours(24 * 400))),
            Sweepable::UsedMarks(ago(hours(1))),
        ];
        assert_eq!(rules.over(ago(Duration::ZERO)), wanted);
    }

    #[test]
    fn pauses_vary_by_half() {
        assert_eq!(jittered(REST, [0, 0]), REST / 2);
        assert_eq!(jittered(REST, [0xff, 0xff]), REST * 3 / 2);
    }
}
