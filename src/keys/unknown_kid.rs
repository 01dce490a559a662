//! Reloads of the keys for tokens with an unknown `kid`. Anybody can send such a token, so at most one reload starts
//! in 5 seconds, and calls that arrive meanwhile wait for it. The last outcome is kept, because a failed reload does
//! not prove that the key is unknown.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::model::Timestamp;
use crate::storage::{StoreError, StoreResult};

const BETWEEN: Duration = Duration::from_secs(5);

/// The outcome of a reload; `None` while it runs.
type Outcome = Option<StoreResult<()>>;

/// The start time of the last reload, and its outcome.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<Option<(Timestamp, watch::Receiver<Outcome>)>>);

/// The action for a caller that found an unknown `kid`.
#[derive(Debug)]
pub(super) enum Look {
    /// Reload the keys, and send the outcome to all waiting calls.
    Yours(watch::Sender<Outcome>),
    /// Wait for the running reload.
    Running(watch::Receiver<Outcome>),
    /// The last reload, this one, was less than 5 seconds ago.
    TooSoon(watch::Receiver<Outcome>),
}

impl Looks {
    pub(super) fn ask(&self, now: Timestamp) -> Look {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((_, running)) if running.has_changed().is_ok() => Look::Running(running.clone()),
            // If the clock was set back, reloads must not stop.
            Some((began, last)) if *began <= now && now < began.plus(BETWEEN) => Look::TooSoon(last.clone()),
            Some(_) | None => {
                let (yours, running) = watch::channel(None);
                *last = Some((now, running));
                Look::Yours(yours)
            }
        }
    }
}

/// Waits for the outcome of a reload. A reload that ended without an outcome has failed.
pub(super) async fn outcome(mut look: watch::Receiver<Outcome>) -> StoreResult<()> {
    let told = look.wait_for(Option::is_some).await.ok();
    told.and_then(|told| told.clone()).unwrap_or_else(|| Err(StoreError::no_answer()))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn one_looks_the_others_wait_and_the_next_look_is_five_seconds_later() {
        let looks = Looks::default();
        let Look::Yours(running) = looks.ask(Timestamp(1_000)) else { panic!("the first looks") };
        for now in [1_000, 60_000] {
            assert!(matches!(looks.ask(Timestamp(now)), Look::Running(_)), "it runs at {now}");
        }
        drop(running);
        for now in [1_000, 5_999] {
            assert!(matches!(looks.ask(Timestamp(now)), Look::TooSoon(_)), "{now}");
        }
        assert!(matches!(looks.ask(Timestamp(6_000)), Look::Yours(_)));
        assert!(matches!(looks.ask(Timestamp(5_999)), Look::Yours(_)), "the clock was set back");
    }
    #[test]
    fn a_failed_or_aborted_read_is_reported_until_the_next() {
        let failed = || Some(Err(StoreError::no_answer()));
        for (told, good) in [(Some(Ok(())), true), (failed(), false), (None, false)] {
            let looks = Looks::default();
            let Look::Yours(yours) = looks.ask(Timestamp(1_000)) else { panic!("the first looks") };
            let Look::Running(waits) = looks.ask(Timestamp(1_000)) else { panic!("the second waits") };
            assert!(outcome(waits.clone()).now_or_never().is_none(), "it runs");
            if told.is_some() {
                yours.send_replace(told);
            }
            drop(yours);
            let Look::TooSoon(last) = looks.ask(Timestamp(5_999)) else { panic!("that was a moment ago") };
            for look in [waits, last] {
                assert_eq!(outcome(look).now_or_never().unwrap().is_ok(), good);
            }
        }
    }
}
