//! `GetSession`: what an access token says, if it still counts (Auth.js `session`). No database on this path: the
//! reader holds a verifier, the revocations and a clock, and no store; a token of a key that nobody knows yet may have
//! the keys read anew, seldom.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::callbacks::{Callback, SessionInput};
use super::error::{Error, Result};
use super::reload_keys::{ReloadKeys, verify_again};
use super::revocation::{Revocations, UserNow};
use super::session::SessionView;
use super::shared::Auth;
use crate::model::{Clock, Timestamp, claims};
use crate::tokens::{AccessClaims, VerifyToken};

/// What `GetSession` asks.
pub struct GetSession<'a> {
    /// The access token.
    pub access_token: &'a str,
    /// Whom it must be for; empty: any audience of ours.
    pub audience: &'a str,
    /// How old the knowledge of revocations may be, if less than configured.
    pub max_staleness: Option<Duration>,
}

/// What `GetSession` answers.
#[derive(Debug)]
pub struct SessionAnswer {
    /// The session.
    pub session: SessionView,
    /// As of when nothing revoked it.
    pub revocations_checked_at: Timestamp,
}

/// Reads a session from what proves it.
#[async_trait]
pub trait SessionReader: Send + Sync {
    /// The session of an access token that still counts.
    async fn read(&self, token: &str, audience: &str) -> Result<SessionView>;
}

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
    /// Whether a `jwt` callback may have made claims from a role.
    pub role_makes_claims: bool,
}

#[async_trait]
impl SessionReader for JwtReader {
    async fn read(&self, token: &str, audience: &str) -> Result<SessionView> {
        let now = self.clock.now();
        let verified = verify_again(&*self.keys, || self.verifier.verify(token, now)).await?;
        let claims = &verified.claims;
        check_audience(claims, audience, &self.audiences)?;
        let changed = self.revocations.check(claims, now)?;
        let mut session = SessionView::from(claims);
        if let Some(now) = changed {
            if self.role_makes_claims && tells_another_role(claims, &now) {
                return Err(Error::TokenStale);
            }
            session.refresh_user(&now.claims);
        }
        Ok(session)
    }
}

/// Whether a token may carry claims made from another role. Where tokens do not tell the role, any that is not newer
/// than the user's last change may.
fn tells_another_role(claims: &AccessClaims, now: &UserNow) -> bool {
    match (&claims.user.role, &now.claims.role) {
        (Some(told), Some(role)) => told != role,
        _ => claims.issued_at <= now.changed_at.floor_to_second(),
    }
}

fn check_audience(claims: &AccessClaims, audience: &str, configured: &[String]) -> Result<()> {
    let meant = if audience.is_empty() {
        claims.audiences.iter().any(|aud| configured.contains(aud))
    } else {
        claims.audiences.iter().any(|aud| aud == audience)
    };
    if meant { Ok(()) } else { Err(Error::TokenAudienceMismatch) }
}

impl Auth {
    /// Reads the session of an access token.
    pub async fn get_session(&self, request: GetSession<'_>) -> Result<SessionAnswer> {
        let revocations_checked_at = self.check_staleness(request.max_staleness)?;
        let mut session = self.parts.reader.read(request.access_token, request.audience).await?;
        self.run_session_callbacks(&mut session).await?;
        Ok(SessionAnswer { session, revocations_checked_at })
    }

    fn check_staleness(&self, asked: Option<Duration>) -> Result<Timestamp> {
        let (checked_at, age) = self.parts.revocations.checked().ok_or(Error::RevocationStale)?;
        let limit = asked.map_or(self.rules.stale_limit, |asked| asked.min(self.rules.stale_limit));
        if age <= limit { Ok(checked_at) } else { Err(Error::RevocationStale) }
    }

    /// Lets `session` callbacks add to what a session says.
    pub(super) async fn run_session_callbacks(&self, session: &mut SessionView) -> Result<()> {
        if !self.parts.callbacks.has(Callback::Session) {
            return Ok(());
        }
        let input = SessionInput { session, claims: &session.claims };
        let additions = self.parts.callbacks.session(&input).await?;
        claims::check_additions(&additions).map_err(|fault| Callback::Session.failed(fault.to_string()))?;
        claims::merge(&mut session.claims, additions);
        Ok(())
    }
}
