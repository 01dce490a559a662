//! The decision about a presented refresh token, relative to the row of its session.

use std::time::Duration;

use crate::auth::rules::LateRetry;
use crate::model::{RefreshState, Timestamp};
use crate::tokens::GenuineRefreshToken;

/// The rules of spent refresh tokens.
#[derive(Debug, Clone, Copy)]
pub struct RotationRules {
    /// The time in which a spent refresh token still returns its response.
    pub window: Duration,
    /// The rule for a spent refresh token after that time.
    pub late_retry: LateRetry,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
}

/// The decision about a genuine refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RotationDecision {
    /// The token is live: it gets a successor.
    Rotate,
    /// The token was replaced recently: its response is repeated.
    Replay,
    /// The token was replaced long ago, and its successor was never used: it gets another successor.
    Recover,
    /// The token has already been spent: the session ends.
    Revoke,
    /// The row is older than the token, because the database was restored: the session has expired.
    Expire,
}

/// Decides how to handle a genuine token of this row's session.
pub(super) fn decide_rotation(
    row: &RefreshState,
    presented: &GenuineRefreshToken,
    now: Timestamp,
    rules: &RotationRules,
) -> RotationDecision {
    let hash = presented.hash();
    if hash == row.hash {
        RotationDecision::Rotate
    } else if row.previous_hash == Some(hash) {
        match rules.late_retry {
            _ if may_be_retried(row.rotated_at, now, rules) => RotationDecision::Replay,
            LateRetry::Recover => RotationDecision::Recover,
            LateRetry::Revoke => RotationDecision::Revoke,
        }
    } else if presented.generation() > row.generation {
        RotationDecision::Expire
    } else {
        RotationDecision::Revoke
    }
}

/// Returns true if a rotation is recent enough for its response to be repeated. A rotation in the future was made by a
/// clock that is ahead. It opens no window if it is ahead by more than the clock leeway, or by one second.
fn may_be_retried(rotated_at: Timestamp, now: Timestamp, rules: &RotationRules) -> bool {
    now.since(rotated_at) < rules.window
        && rotated_at.since(now) <= rules.clock_leeway.max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::RotationDecision::{Expire, Recover, Replay, Revoke, Rotate};
    use super::*;
    use crate::model::{OsEntropy, SessionId, SystemClock};
    use crate::tokens::Secrets;

    /// Makes the first tokens of a session, each the successor of the one before.
    fn tokens() -> Vec<GenuineRefreshToken> {
        let secrets = Secrets::new(&["a".repeat(32).into()]).unwrap();
        let id = SessionId::mint(&SystemClock, &OsEntropy);
        let first = GenuineRefreshToken::first(&secrets, &OsEntropy, id);
        let next = |token: &GenuineRefreshToken| Some(token.successor(&secrets, &[7; 32]));
        std::iter::successors(Some(first), next).take(4).collect()
    }

    /// Makes the row whose live token is the third, since second 1000.
    fn row(tokens: &[GenuineRefreshToken]) -> RefreshState {
        RefreshState {
            hash: tokens[2].hash(),
            previous_hash: Some(tokens[1].hash()),
            generation: 2,
            salt: [7; 32],
            rotated_at: Timestamp::from_seconds(1000),
        }
    }

    #[test]
    fn a_token_is_live_just_replaced_spent_or_of_a_later_row() {
        let tokens = tokens();
        let row = row(&tokens);
        for (late_retry, clock_leeway, presented, now, decision) in [
            (LateRetry::Revoke, 5, 2, 1000, Rotate),
            (LateRetry::Revoke, 5, 2, 9000, Rotate),
            (LateRetry::Revoke, 5, 1, 1000, Replay),
            (LateRetry::Revoke, 5, 1, 1029, Replay),
            (LateRetry::Revoke, 5, 1, 1030, Revoke),
            (LateRetry::Recover, 5, 1, 1029, Replay),
            (LateRetry::Recover, 5, 1, 1030, Recover),
            // Rotated by a clock that is ahead: by no more than the clock leeway, or by one second.
            (LateRetry::Revoke, 5, 1, 995, Replay),
            (LateRetry::Revoke, 5, 1, 994, Revoke),
            (LateRetry::Revoke, 0, 1, 999, Replay),
            (LateRetry::Revoke, 0, 1, 998, Revoke),
            (LateRetry::Recover, 0, 1, 998, Recover),
            // A token from before the last but one is reused, whatever the setting.
            (LateRetry::Revoke, 5, 0, 1000, Revoke),
            (LateRetry::Recover, 5, 0, 1000, Revoke),
            (LateRetry::Recover, 5, 3, 1000, Expire),
        ] {
            let clock_leeway = Duration::from_secs(clock_leeway);
            let rules = RotationRules { window: Duration::from_secs(30), late_retry, clock_leeway };
            let now = Timestamp::from_seconds(now);
            let decided = decide_rotation(&row, &tokens[presented], now, &rules);
            assert_eq!(decided, decision, "{rules:?} {presented} {now:?}");
        }
    }

    #[test]
    fn a_forked_token_of_the_live_generation_is_reused() {
        let tokens = tokens();
        let row = RefreshState { hash: [0; 32], ..row(&tokens) };
        let rules = RotationRules {
            window: Duration::from_secs(30),
            late_retry: LateRetry::Recover,
            clock_leeway: Duration::ZERO,
        };
        assert_eq!(decide_rotation(&row, &tokens[2], row.rotated_at, &rules), Revoke);
    }

    #[test]
    fn no_window_replays_nothing() {
        let tokens = tokens();
        let row = row(&tokens);
        let rules = RotationRules {
            window: Duration::ZERO,
            late_retry: LateRetry::Revoke,
            clock_leeway: Duration::from_secs(5),
        };
        assert_eq!(decide_rotation(&row, &tokens[1], row.rotated_at, &rules), Revoke);
    }
}
