//! The decision about a presented refresh token, relative to the row of its session.

use std::time::Duration;

use subtle::ConstantTimeEq;

use crate::auth::rules::LateRetry;
use crate::model::{Predecessor, RefreshState, Timestamp};
use crate::tokens::GenuineRefreshToken;

/// The largest number of predecessors before the direct one that a row keeps.
const MOST_OLDER: usize = 7;

/// The rules of spent refresh tokens.
#[derive(Debug, Clone, Copy)]
pub struct RotationRules {
    /// The time in which a spent refresh token still returns the live one.
    pub window: Duration,
    /// The rule for a spent refresh token after that time.
    pub late_retry: LateRetry,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
}

/// The decision about a genuine refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RotationDecision {
    /// The token is live: it gets a successor.
    Rotate(KeptPredecessors),
    /// The token is live, but the row keeps no further predecessor: it is returned again.
    Hold,
    /// The token was replaced recently: the live token is derived from it. It stands at this place among the
    /// predecessors.
    Replay(usize),
    /// The token was replaced long ago, and its successor was never used: it gets another successor.
    Recover(KeptPredecessors),
    /// The token may have been replaced recently, by a version that keeps only the direct predecessor.
    Wait,
    /// The token has already been spent: the session ends.
    Revoke,
    /// The row is older than the token, because the database was restored: the session has expired.
    Expire,
}

/// The parts of a row's history that a rotation keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeptPredecessors {
    pub(super) older: Vec<Predecessor>,
    pub(super) gap_at: Option<Timestamp>,
}

/// Decides how to handle a genuine token of this row's session.
pub(super) fn decide_rotation(
    row: &RefreshState,
    presented: &GenuineRefreshToken,
    now: Timestamp,
    rules: &RotationRules,
) -> RotationDecision {
    let hash = presented.hash();
    let is = |other: &[u8; 32]| bool::from(hash.ct_eq(other));
    let is_recent = |at: Timestamp| may_be_retried(at, now, rules);
    let gap_at = row.gap_at.filter(|at| is_recent(*at));
    if is(&row.hash) {
        let older = recent(row.predecessors().collect(), is_recent);
        if older.len() > MOST_OLDER {
            return RotationDecision::Hold;
        }
        return RotationDecision::Rotate(KeptPredecessors { older, gap_at });
    }
    let found = row.predecessors().enumerate().find(|(_, it)| is(&it.hash));
    match found {
        Some((place, it)) if is_recent(it.replaced_at) => RotationDecision::Replay(place),
        Some((0, _)) if rules.late_retry == LateRetry::Recover => {
            let older = recent(row.older.clone(), is_recent);
            RotationDecision::Recover(KeptPredecessors { older, gap_at })
        }
        None if presented.generation() > row.generation => RotationDecision::Expire,
        None if gap_at.is_some() && presented.generation() + 1 < row.generation => RotationDecision::Wait,
        Some(_) | None => RotationDecision::Revoke,
    }
}

/// Drops the predecessors before the oldest one that was replaced recently; those after it are needed to derive from
/// it.
fn recent(mut predecessors: Vec<Predecessor>, is_recent: impl Fn(Timestamp) -> bool) -> Vec<Predecessor> {
    let kept = predecessors.iter().rposition(|it| is_recent(it.replaced_at)).map_or(0, |place| place + 1);
    predecessors.truncate(kept);
    predecessors
}

/// Returns true if a rotation is recent enough for its response to be repeated. A rotation in the future was made by a
/// clock that is ahead. It opens no window if it is ahead by more than the clock leeway, or by one second.
fn may_be_retried(rotated_at: Timestamp, now: Timestamp, rules: &RotationRules) -> bool {
    now.since(rotated_at) < rules.window
        && rotated_at.since(now) <= rules.clock_leeway.max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::RotationDecision::{Expire, Hold, Recover, Replay, Revoke, Rotate, Wait};
    use super::*;
    use crate::model::{OsEntropy, SessionId, SystemClock};
    use crate::tokens::Secrets;

    const RULES: RotationRules = RotationRules {
        window: Duration::from_secs(30),
        late_retry: LateRetry::Revoke,
        clock_leeway: Duration::from_secs(5),
    };
    const RECOVER: RotationRules = RotationRules { late_retry: LateRetry::Recover, ..RULES };

    /// Makes the first tokens of a session, each the successor of the one before.
    fn tokens(count: usize) -> Vec<GenuineRefreshToken> {
        let secrets = Secrets::new(&["a".repeat(32).into()]).unwrap();
        let id = SessionId::mint(&SystemClock, &OsEntropy);
        let first = GenuineRefreshToken::first(&secrets, &OsEntropy, id);
        let next = |token: &GenuineRefreshToken| Some(token.successor(&secrets, &[7; 32]));
        std::iter::successors(Some(first), next).take(count).collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    /// Makes the row after rotations at these seconds; the last of them made the live token.
    fn row(tokens: &[GenuineRefreshToken], rotations: &[i64]) -> RefreshState {
        let live = rotations.len();
        let older = |place: usize| Predecessor {
            hash: tokens[place].hash(),
            salt: [7; 32],
            replaced_at: at(rotations[place]),
        };
        RefreshState {
            hash: tokens[live].hash(),
            previous_hash: Some(tokens[live - 1].hash()),
            generation: tokens[live].generation(),
            salt: [7; 32],
            rotated_at: at(rotations[live - 1]),
            older: (0..live - 1).rev().map(older).collect(),
            gap_at: None,
        }
    }

    fn kept(row: &RefreshState, places: std::ops::Range<usize>) -> KeptPredecessors {
        let older = row.predecessors().skip(places.start).take(places.len()).collect();
        KeptPredecessors { older, gap_at: None }
    }

    #[test]
    fn a_token_is_live_just_replaced_spent_or_of_a_later_row() {
        let tokens = tokens(4);
        let row = row(&tokens, &[900, 1000]);
        let none = KeptPredecessors::default;
        let strict = RotationRules { clock_leeway: Duration::ZERO, ..RULES };
        for (rules, presented, now, decision) in [
            (RULES, 2, 1000, Rotate(kept(&row, 0..1))),
            (RULES, 2, 1029, Rotate(kept(&row, 0..1))),
            (RULES, 2, 1030, Rotate(none())),
            (RULES, 1, 1000, Replay(0)),
            (RULES, 1, 1029, Replay(0)),
            (RULES, 1, 1030, Revoke),
            (RECOVER, 1, 1029, Replay(0)),
            (RECOVER, 1, 1030, Recover(none())),
            // Rotated by a clock that is ahead: by no more than the clock leeway, or by one second.
            (RULES, 1, 995, Replay(0)),
            (RULES, 1, 994, Revoke),
            (strict, 1, 999, Replay(0)),
            (strict, 1, 998, Revoke),
            (RotationRules { clock_leeway: Duration::ZERO, ..RECOVER }, 1, 998, Recover(none())),
            // A token from before the last but one whose window is over is reused, whatever the setting.
            (RULES, 0, 1000, Revoke),
            (RECOVER, 0, 1000, Revoke),
            (RECOVER, 3, 1000, Expire),
        ] {
            let decided = decide_rotation(&row, &tokens[presented], at(now), &rules);
            assert_eq!(decided, decision, "{rules:?} {presented} {now}");
        }
    }

    #[test]
    fn each_predecessor_has_the_window_of_its_own_replacement() {
        let tokens = tokens(4);
        let row = row(&tokens, &[1000, 1010, 1020]);
        for (presented, place, end) in [(0, 2, 1030), (1, 1, 1040), (2, 0, 1050)] {
            for rules in [RULES, RECOVER] {
                let decided = |now| decide_rotation(&row, &tokens[presented], at(now), &rules);
                assert_eq!(decided(1020), Replay(place), "{presented}");
                assert_eq!(decided(end - 1), Replay(place), "{presented}");
                let late = if rules.late_retry == LateRetry::Recover && place == 0 {
                    Recover(KeptPredecessors::default())
                } else {
                    Revoke
                };
                assert_eq!(decided(end), late, "{presented}");
            }
        }
        for (now, left) in [(1029, 3), (1030, 2), (1039, 2), (1040, 1), (1049, 1), (1050, 0)] {
            let decided = decide_rotation(&row, &tokens[3], at(now), &RULES);
            assert_eq!(decided, Rotate(kept(&row, 0..left)), "{now}");
        }
    }

    #[test]
    fn a_ninth_rotation_inside_the_window_is_not_made() {
        let tokens = tokens(9);
        let row = row(&tokens, &[1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007]);
        let decided = |now| decide_rotation(&row, &tokens[8], at(now), &RULES);
        assert_eq!((decided(1007), decided(1029)), (Hold, Hold));
        assert_eq!(decided(1030), Rotate(kept(&row, 0..7)));
        assert_eq!(decide_rotation(&row, &tokens[0], at(1029), &RULES), Replay(7));
    }

    #[test]
    fn a_clock_that_was_far_ahead_holds_no_rotation() {
        let tokens = tokens(9);
        let row = row(&tokens, &[90_000; 8]);
        let decided = decide_rotation(&row, &tokens[8], at(1000), &RULES);
        assert_eq!(decided, Rotate(KeptPredecessors::default()));
    }

    #[test]
    fn predecessors_are_kept_up_to_the_oldest_recent_one() {
        let tokens = tokens(5);
        // Three replicas whose clocks differ.
        let row = row(&tokens, &[970, 1004, 999, 1000]);
        assert_eq!(decide_rotation(&row, &tokens[4], at(1031), &RULES), Rotate(kept(&row, 0..3)));
        assert_eq!(decide_rotation(&row, &tokens[2], at(1031), &RULES), Revoke);
        assert_eq!(decide_rotation(&row, &tokens[1], at(1031), &RULES), Replay(2));
    }

    #[test]
    fn a_recovery_keeps_the_others() {
        let tokens = tokens(3);
        let row = row(&tokens, &[1004, 1000]);
        assert_eq!(decide_rotation(&row, &tokens[1], at(1030), &RECOVER), Recover(kept(&row, 1..2)));
    }

    #[test]
    fn an_unknown_token_of_a_gap_is_reused_only_after_the_window() {
        let tokens = tokens(4);
        let row =
            RefreshState { gap_at: Some(at(1000)), older: Vec::new(), ..row(&tokens, &[0, 1000, 1020]) };
        for (presented, now, decision) in [
            (0, 1029, Wait),
            (1, 1029, Wait),
            (1, 1030, Revoke),
            (0, 1030, Revoke),
            (2, 1029, Replay(0)),
            (2, 1050, Revoke),
            (3, 1029, Rotate(KeptPredecessors { gap_at: Some(at(1000)), ..kept(&row, 0..1) })),
            (3, 1030, Rotate(kept(&row, 0..1))),
        ] {
            let decided = decide_rotation(&row, &tokens[presented], at(now), &RULES);
            assert_eq!(decided, decision, "{presented} {now}");
        }
        // A fork of a known generation is never of the gap.
        let forks = [
            (2, RefreshState { previous_hash: Some([0; 32]), ..row.clone() }),
            (3, RefreshState { hash: [0; 32], ..row }),
        ];
        for (presented, row) in forks {
            assert_eq!(decide_rotation(&row, &tokens[presented], at(1020), &RECOVER), Revoke);
        }
    }

    #[test]
    fn a_forked_token_of_the_live_generation_is_reused() {
        let tokens = tokens(3);
        let row = RefreshState { hash: [0; 32], ..row(&tokens, &[1000, 1000]) };
        assert_eq!(decide_rotation(&row, &tokens[2], row.rotated_at, &RECOVER), Revoke);
    }

    #[test]
    fn no_window_replays_nothing_and_holds_nothing() {
        let tokens = tokens(9);
        let row = row(&tokens, &[1000; 8]);
        let rules = RotationRules { window: Duration::ZERO, ..RULES };
        assert_eq!(decide_rotation(&row, &tokens[7], at(1000), &rules), Revoke);
        assert_eq!(decide_rotation(&row, &tokens[8], at(1000), &rules), Rotate(KeptPredecessors::default()));
    }
}
