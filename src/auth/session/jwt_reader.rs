//! Sessions from JWTs: the token tells all, the revocations in memory tell what changed since. No database on this
//! path: the reader holds a verifier, the revocations and a clock, and no store; a token of a key that nobody knows yet
//! may have the keys read anew, seldom.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::auth::error::{Error, Result};
use crate::auth::reload_keys::{ReloadKeys, verify_again};
use crate::auth::revocation::{Revocations, UserNow};
use crate::auth::session::get_session::{GetSession, SessionAnswer, SessionReader, check_audience};
use crate::auth::session::view::SessionView;
use crate::model::{Clock, Timestamp};
use crate::tokens::{AccessClaims, VerifyToken};

/// Reads sessions from JWTs.
pub struct JwtReader {
    /// Proves tokens.
    pub verifier: Arc<dyn VerifyToken>,
    /// Looks for keys that are not known yet.
    pub keys: Arc<dyn ReloadKeys>,
    /// What is revoked.
    pub revocations: Arc<Revocations>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Every audience there is.
    pub audiences: Vec<String>,
    /// How old the knowledge of revocations may grow.
    pub stale_limit: Duration,
    /// How far clocks may differ.
    pub clock_leeway: Duration,
    /// Whether a `jwt` callback may have made claims from a role.
    pub role_makes_claims: bool,
}

#[async_trait]
impl SessionReader for JwtReader {
    async fn read(&self, request: &GetSession<'_>) -> Result<SessionAnswer> {
        let revocations_checked_at = self.check_staleness(request.max_staleness)?;
        let now = self.clock.now();
        let verified = verify_again(&*self.keys, || self.verifier.verify(request.access_token, now)).await?;
        let claims = &verified.claims;
        check_audience(&claims.audiences, request.audience, &self.audiences)?;
        let changed = self.revocations.check(claims.session_id, claims.user_id, claims.epoch, now)?;
        let mut session = SessionView::from(claims);
        if let Some(now) = changed {
            if self.role_makes_claims && tells_another_role(claims, &now, self.clock_leeway) {
                return Err(Error::TokenStale);
            }
            session.refresh_user(claims.user_id, &now.claims);
        }
        Ok(SessionAnswer { session, revocations_checked_at })
    }
}

impl JwtReader {
    fn check_staleness(&self, asked: Option<Duration>) -> Result<Timestamp> {
        let (checked_at, age) = self.revocations.checked().ok_or(Error::RevocationStale)?;
        let limit = asked.map_or(self.stale_limit, |asked| asked.min(self.stale_limit));
        if age <= limit { Ok(checked_at) } else { Err(Error::RevocationStale) }
    }
}

/// Whether a token may carry claims made from another role. Where tokens do not tell the role, any that is not newer
/// than the user's last change may, by the clocks of two replicas.
fn tells_another_role(claims: &AccessClaims, now: &UserNow, clock_leeway: Duration) -> bool {
    match (&claims.user.role, &now.claims.role) {
        (Some(told), Some(role)) => told != role,
        _ => claims.issued_at <= now.changed_at.plus(clock_leeway),
    }
}
