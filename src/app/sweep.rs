//! Housekeeping: what is over is removed, by every replica, in small batches with pauses by chance between them. The
//! loop says when something is over, by a clock that is steady; how it is found and removed is for `storage/stores/sweep.rs`.
//! Retired signing keys go with whoever keeps the keys, in `keys/`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{Clock, Entropy, Timestamp, random, spread};
use crate::storage::{StoreResult, Sweep, Sweepable, TrustedClock};

/// The most rows of one batch: SQLite has one writer at a time, and calls wait for as long as a batch takes.
const BATCH: u64 = 100;

/// The pause after a batch that removed something, and how many times the batch's own length is added to it: a database
/// that is slow is left alone for longer.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_FACTOR: u32 = 4;

/// The pause when there is nothing to remove, or no database.
const REST: Duration = Duration::from_mins(5);

/// An expired grant is told from an unknown one for as long.
const GRANT_KEPT: Duration = Duration::from_hours(1);

/// What was used stays so for as long after nothing could prove it any more: a call that could, and then waited for a
/// callback or a lock, still finds it used.
const MARK_KEPT: Duration = Duration::from_hours(1);

/// An ended session is told from an unknown one for as long.
const SESSION_KEPT: Duration = Duration::from_hours(24);

/// What the configuration says of when something is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct SweepRules {
    /// The age at which a session can't be refreshed any more.
    pub(super) max_age: Duration,
    /// How far clocks of replicas may differ.
    pub(super) clock_leeway: Duration,
    /// The age at which a row of the auth log goes.
    pub(super) log_retention: Duration,
}

impl SweepRules {
    /// What is over now.
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

/// Removes what is over.
pub(super) struct Sweeper {
    pub(super) store: Arc<dyn Sweep>,
    pub(super) rules: SweepRules,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) steady: Arc<TrustedClock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

/// How much was removed.
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
            tracing::info!(sessions, revocations, log_rows, used_marks, "swept what is over");
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
                tracing::warn!(%error, "not swept");
            }
            failing = round.is_err();
            self.pause(REST).await;
        }
    }

    /// Sweeps until nothing is left of what is over now, a batch of each kind in turn. A clock that jumps meanwhile
    /// makes no more of it.
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

    /// Sleeps for half to one and a half of that, so that replicas do not sweep in step.
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
    fn each_kind_is_over_at_its_own_time() {
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
