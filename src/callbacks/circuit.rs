//! The state machine of a circuit breaker. After several unanswered calls in a row it lets only an occasional probe
//! pass; the first answered probe closes the circuit. Time and randomness are arguments.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::Timestamp;
use crate::net::Backoff;

/// The number of unanswered calls in a row that opens the circuit.
pub(super) const UNANSWERED: u32 = 5;

/// The back-off after the circuit opens, and after each probe without an answer.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(5));

/// A circuit, closed at first.
#[derive(Debug)]
pub(super) struct Circuit(Mutex<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All calls pass; this many in a row were not answered.
    Closed { unanswered: u32 },
    /// No call passes for this long.
    Open { since: Timestamp, pause: Duration, tries: u32 },
    /// One call passes, as a probe.
    Probing { tries: u32 },
}

/// A permission to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// The permission that every call has while the circuit is closed.
    Usual,
    /// The permission of a probe.
    Probe,
}

/// The effect of an answer, or of none, on the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Opened,
    Closed,
}

impl Circuit {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::Closed { unanswered: 0 }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a permission to call now, if the circuit allows it. The call that gets it reports the outcome.
    pub(super) fn leave(&self, now: Timestamp) -> Option<Leave> {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => Some(Leave::Usual),
            // A clock that was set back must not make the pause longer.
            State::Open { since, pause, .. } if (since..since.plus(pause)).contains(&now) => None,
            State::Open { tries, .. } => {
                *state = State::Probing { tries };
                Some(Leave::Probe)
            }
            State::Probing { .. } => None,
        }
    }

    /// Records an answer.
    pub(super) fn answered(&self, leave: Leave) -> Change {
        let mut state = self.state();
        match (*state, leave) {
            (State::Closed { .. }, _) => {
                *state = State::Closed { unanswered: 0 };
                Change::None
            }
            (State::Probing { .. }, Leave::Probe) => {
                *state = State::Closed { unanswered: 0 };
                Change::Closed
            }
            // The call began before the circuit opened; only the probe tests the current state.
            (State::Open { .. } | State::Probing { .. }, _) => Change::None,
        }
    }

    /// Records that no answer came before the timeout.
    pub(super) fn unanswered(&self, leave: Leave, now: Timestamp, noise: [u8; 2]) -> Change {
        let mut state = self.state();
        match (*state, leave) {
            (State::Closed { unanswered }, _) if unanswered + 1 < UNANSWERED => {
                *state = State::Closed { unanswered: unanswered + 1 };
                Change::None
            }
            (State::Closed { .. }, _) => {
                *state = State::Open { since: now, pause: PAUSES.pause(0, noise), tries: 1 };
                Change::Opened
            }
            (State::Probing { tries }, Leave::Probe) => {
                let pause = PAUSES.pause(tries, noise);
                *state = State::Open { since: now, pause, tries: tries.saturating_add(1) };
                Change::None
            }
            (State::Open { .. } | State::Probing { .. }, _) => Change::None,
        }
    }

    /// Records that the call was cancelled too early to know. A probe leaves its place to the next call.
    pub(super) fn given_up(&self, leave: Leave, now: Timestamp) {
        let mut state = self.state();
        if let (State::Probing { tries }, Leave::Probe) = (*state, leave) {
            *state = State::Open { since: now, pause: Duration::ZERO, tries };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: [u8; 2] = [0xff, 0xff];
    const EARLY: [u8; 2] = [0, 0];

    fn at(millis: i64) -> Timestamp {
        Timestamp(1_000_000 + millis)
    }

    /// A circuit that opened at 0, for 250 ms.
    fn opened() -> Circuit {
        let circuit = Circuit::new();
        for _ in 1..UNANSWERED {
            assert_eq!(circuit.unanswered(Leave::Usual, at(0), LATE), Change::None);
        }
        assert_eq!(circuit.unanswered(Leave::Usual, at(0), LATE), Change::Opened);
        circuit
    }

    #[test]
    fn only_unanswered_calls_in_a_row_open_it() {
        let circuit = Circuit::new();
        for _ in 0..10 {
            for _ in 1..UNANSWERED {
                circuit.unanswered(Leave::Usual, at(0), LATE);
            }
            assert_eq!(circuit.answered(Leave::Usual), Change::None);
        }
        assert_eq!(circuit.leave(at(0)), Some(Leave::Usual));
        assert_eq!(opened().leave(at(0)), None);
    }

    #[test]
    fn after_the_pause_one_asks_and_its_answer_lets_all() {
        let circuit = opened();
        assert_eq!(circuit.leave(at(249)), None);
        assert_eq!([(); 3].map(|()| circuit.leave(at(250))), [Some(Leave::Probe), None, None]);
        assert_eq!(circuit.answered(Leave::Probe), Change::Closed);
        assert_eq!([(); 2].map(|()| circuit.leave(at(250))), [Some(Leave::Usual); 2]);
        // The count starts again.
        assert_eq!(circuit.unanswered(Leave::Usual, at(250), LATE), Change::None);
    }

    #[test]
    fn each_probe_in_vain_doubles_the_pause_up_to_five_seconds() {
        for (noise, pauses) in
            [(LATE, [500, 1000, 2000, 4000, 5000, 5000]), (EARLY, [250, 500, 1000, 2000, 2500, 2500])]
        {
            let circuit = opened();
            let mut now = 250;
            for pause in pauses {
                assert_eq!(circuit.leave(at(now)), Some(Leave::Probe), "{pause}");
                assert_eq!(circuit.unanswered(Leave::Probe, at(now), noise), Change::None);
                assert_eq!(circuit.leave(at(now + pause - 1)), None, "{pause}");
                now += pause;
            }
        }
    }

    #[test]
    fn calls_from_before_it_opened_change_nothing() {
        let circuit = opened();
        assert_eq!(circuit.answered(Leave::Usual), Change::None);
        assert_eq!(circuit.unanswered(Leave::Usual, at(100), LATE), Change::None);
        assert_eq!(circuit.leave(at(249)), None);
        assert_eq!(circuit.leave(at(250)), Some(Leave::Probe));
        assert_eq!(circuit.answered(Leave::Usual), Change::None);
        assert_eq!(circuit.unanswered(Leave::Usual, at(250), LATE), Change::None);
        assert_eq!(circuit.leave(at(250)), None);
    }

    #[test]
    fn a_probe_that_is_given_up_leaves_its_place_to_the_next() {
        let circuit = opened();
        assert_eq!(circuit.leave(at(250)), Some(Leave::Probe));
        circuit.given_up(Leave::Usual, at(250));
        assert_eq!(circuit.leave(at(250)), None);
        circuit.given_up(Leave::Probe, at(250));
        assert_eq!(circuit.leave(at(250)), Some(Leave::Probe));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_pause_longer() {
        assert_eq!(opened().leave(at(-1)), Some(Leave::Probe));
    }
}
