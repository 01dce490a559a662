//! Looks for unknown keys: anybody can make up a token that names one, so a look is had at most once in 5 seconds, and
//! who asks while it runs waits for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::model::Timestamp;

const BETWEEN: Duration = Duration::from_secs(5);

/// When the last look began, and whether it runs.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<Option<(Timestamp, watch::Receiver<()>)>>);

/// What to do for who asks.
#[derive(Debug)]
pub(super) enum Look {
    /// Look; letting go of this tells all who wait.
    Yours(watch::Sender<()>),
    /// Wait for the one that runs.
    Running(watch::Receiver<()>),
    /// The last one was a moment ago.
    TooSoon,
}

impl Looks {
    pub(super) fn ask(&self, now: Timestamp) -> Look {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((_, running)) if running.has_changed().is_ok() => Look::Running(running.clone()),
            // A clock that was set back must not end all looks.
            Some((began, _)) if *began <= now && now < began.plus(BETWEEN) => Look::TooSoon,
            Some(_) | None => {
                let (yours, running) = watch::channel(());
                *last = Some((now, running));
                Look::Yours(yours)
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
            assert!(matches!(looks.ask(Timestamp(now)), Look::TooSoon), "{now}");
        }
        assert!(matches!(looks.ask(Timestamp(6_000)), Look::Yours(_)));
        assert!(matches!(looks.ask(Timestamp(5_999)), Look::Yours(_)), "the clock was set back");
    }
}
