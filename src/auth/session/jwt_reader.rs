//! Sessions from JWTs: the token contains the session, and the revocation index adds later changes. This path uses no
//! database: the reader holds a verifier, the index and a clock, but no store. A token with an unknown key may trigger
//! a rate-limited reload of the keys.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::audiences::check_audience;
use super::readers::{GetSessionRequest, ReaderRules, SessionAnswer, SessionReader};
use super::view::SessionView;
use crate::auth::error::{Error, Result};
use crate::auth::reload_keys::{ReloadKeys, verify_again};
use crate::auth::revocation::{Revocations, UserNow};
use crate::model::{Clock, Timestamp};
use crate::tokens::VerifyToken;

/// Reads sessions from JWTs.
pub struct JwtReader {
    /// Verifies tokens.
    pub verifier: Arc<dyn VerifyToken>,
    /// Reloads the keys if one is unknown.
    pub keys: Arc<dyn ReloadKeys>,
    /// The revocation index of this replica.
    pub index: Arc<Revocations>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The configured rules; `max_staleness` is the largest age of the revocation data.
    pub rules: ReaderRules,
}

#[async_trait]
impl SessionReader for JwtReader {
    async fn read(&self, request: &GetSessionRequest<'_>) -> Result<SessionAnswer> {
        let revocations_checked_at = self.check_staleness(request.max_staleness)?;
        let (token, now) = (request.credential.as_str(), self.clock.now());
        let verified = verify_again(&*self.keys, || self.verifier.verify(token, now)).await?;
        let claims = &verified.claims;
        check_audience(&claims.audiences, request.audience, &self.rules.audiences)?;
        let changed = self.index.check(claims.session_id, claims.user_id, claims.epoch, now)?;
        let mut session = SessionView::from(claims);
        if let Some(now) = changed {
            let told = claims.user.role.as_deref();
            if self.rules.role_makes_claims
                && tells_another_role(told, claims.issued_at, &now, self.rules.clock_leeway)
            {
                return Err(Error::TokenStale);
            }
            session.refresh_user(claims.user_id, &now.claims);
        }
        Ok(SessionAnswer { session, revocations_checked_at })
    }
}

impl JwtReader {
    fn check_staleness(&self, asked: Option<Duration>) -> Result<Timestamp> {
        let (checked_at, age) = self.index.checked().ok_or(Error::RevocationStale)?;
        let configured = self.rules.max_staleness;
        let limit = asked.map_or(configured, |asked| asked.min(configured));
        if age <= limit { Ok(checked_at) } else { Err(Error::RevocationStale) }
    }
}

/// Returns true if a token may carry claims made from another role. If tokens do not contain the role, this holds for
/// each token that is not newer than the user's last change, allowing for clock skew.
fn tells_another_role(
    told: Option<&str>,
    issued_at: Timestamp,
    now: &UserNow,
    clock_leeway: Duration,
) -> bool {
    match (told, &now.claims.role) {
        (Some(told), Some(role)) => told != role,
        _ => issued_at <= now.changed_at.plus(clock_leeway),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::UserClaims;

    #[test]
    fn a_token_is_stale_if_its_role_differs_or_it_may_predate_the_change() {
        // The user changed at second 100; the clock skew is up to 5 seconds.
        for (told, role, issued_at, another) in [
            (Some("user"), Some("user"), 0, false),
            (Some("user"), Some("admin"), 900, true),
            (None, None, 105, true),
            (None, None, 106, false),
            (Some("user"), None, 106, false),
            (None, Some("user"), 105, true),
        ] {
            let claims = UserClaims { role: role.map(str::to_owned), ..UserClaims::default() };
            let now = UserNow { version: 2, claims, changed_at: Timestamp::from_seconds(100) };
            let (issued_at, leeway) = (Timestamp::from_seconds(issued_at), Duration::from_secs(5));
            let told_another = tells_another_role(told, issued_at, &now, leeway);
            assert_eq!(told_another, another, "{told:?} {role:?} {issued_at:?}");
        }
    }
}
