//! Live sessions: neither ended nor expired, and their user is not banned.

use super::error::{Error, Result};
use crate::model::{Lifetimes, Session, Timestamp, User};

/// Rejects the session of a banned user, and one that has ended or expired.
pub(super) fn check_live(
    session: &Session,
    user: &User,
    now: Timestamp,
    lifetimes: &Lifetimes,
) -> Result<()> {
    if user.is_banned(now) {
        Err(Error::UserBanned)
    } else if session.ended.is_some() || user.epoch > session.epoch {
        Err(Error::SessionRevoked)
    } else if now >= session_end(session, lifetimes) {
        Err(Error::SessionExpired)
    } else {
        Ok(())
    }
}

/// Returns the expiry of a session: as its row says, or sooner if the configured limits were lowered since.
pub(super) fn session_end(session: &Session, lifetimes: &Lifetimes) -> Timestamp {
    let last_issued = session.refresh.as_ref().map_or(session.authenticated_at, |refresh| refresh.rotated_at);
    session
        .expires_at
        .min(lifetimes.of_session(session.lifetime).session_end(session.authenticated_at, last_issued))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::samples;
    use crate::model::{Ban, EndReason, RefreshState};

    const LIFETIMES: Lifetimes = Lifetimes {
        idle_ttl: Duration::from_secs(1000),
        max_age: Duration::from_secs(5000),
        access_ttl: Duration::from_mins(1),
    };

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// Makes a session that signed in at 0 and was last refreshed at `rotated_at`; its row ends at `expires_at`, both
    /// in seconds.
    fn session(rotated_at: i64, expires_at: i64) -> Session {
        let refresh = RefreshState {
            hash: [1; 32],
            previous_hash: None,
            generation: 0,
            salt: [0; 32],
            rotated_at: seconds(rotated_at),
            older: Vec::new(),
            gap_at: None,
        };
        Session { refresh: Some(refresh), expires_at: seconds(expires_at), ..samples::session() }
    }

    #[test]
    fn a_session_ends_as_its_row_says_or_sooner_by_lowered_limits() {
        for (rotated_at, expires_at, end) in [
            (0, 500, 500),
            (0, 1000, 1000),
            // `idle_ttl` was longer when the row was written.
            (0, 9000, 1000),
            (4500, 5400, 5000),
        ] {
            let ends = session_end(&session(rotated_at, expires_at), &LIFETIMES);
            assert_eq!(ends, seconds(end), "{rotated_at} {expires_at}");
        }
        let unredeemed = Session { refresh: None, ..session(0, 9000) };
        assert_eq!(session_end(&unredeemed, &LIFETIMES), seconds(1000));
    }

    #[test]
    fn a_session_is_live_until_it_expires_or_is_revoked() {
        let (live, user) = (session(0, 1000), samples::user());
        let banned = |until| {
            let ban = Ban { reason: None, expires_at: Some(seconds(until)) };
            User { ban: Some(ban), ..user.clone() }
        };
        let ended = Session { ended: Some((seconds(1), EndReason::SignedOut)), ..live.clone() };
        let raised = User { epoch: live.epoch + 1, ..user.clone() };
        let check = |session: &Session, user: &User, now| {
            check_live(session, user, seconds(now), &LIFETIMES).err().map(|error| format!("{error:?}"))
        };
        for (session, user, now, error) in [
            (&live, &user, 999, None),
            (&live, &user, 1000, Some("SessionExpired")),
            (&ended, &user, 0, Some("SessionRevoked")),
            (&live, &raised, 0, Some("SessionRevoked")),
            (&live, &banned(10), 9, Some("UserBanned")),
            (&live, &banned(10), 10, None),
            // A banned user gets this error, whatever the state of the session.
            (&ended, &banned(10), 9, Some("UserBanned")),
        ] {
            assert_eq!(check(session, user, now).as_deref(), error);
        }
    }
}
