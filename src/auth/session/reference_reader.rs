//! Sessions from references: the token names a session, whose rows are read from the database or from a cache of at
//! most `max_staleness`. The revocation index is queried, too, so that a change of this replica takes effect
//! immediately.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::audiences::check_audience;
use super::readers::{GetSessionRequest, ReaderRules, SessionAnswer, SessionReader};
use super::session_rows::{ReadSessionRows, Reading, SessionRows};
use super::view::SessionView;
use crate::auth::error::{Error, Result};
use crate::auth::revocation::Revocations;
use crate::model::{Clock, EndReason, Timestamp};
use crate::tokens::{Reference, References};

/// Reads sessions from references.
pub struct ReferenceReader {
    /// Verifies references.
    pub references: References,
    /// The rows of sessions.
    pub rows: Arc<dyn ReadSessionRows>,
    /// The revocation index of this replica.
    pub index: Arc<Revocations>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The configured rules; `max_staleness` is the largest age of the rows.
    pub rules: ReaderRules,
}

#[async_trait]
impl SessionReader for ReferenceReader {
    async fn read(&self, request: &GetSessionRequest<'_>) -> Result<SessionAnswer> {
        let now = self.clock.now();
        let reference = self.references.verify(request.credential.as_str(), now)?;
        check_audience(&reference.audiences, request.audience, &self.rules.audiences)?;
        let configured = self.rules.max_staleness;
        let max_age = request.max_staleness.map_or(configured, |asked| asked.min(configured));
        let reading = self.read_rows(&reference, max_age, now).await?;
        let rows = reading.rows()?;
        self.check(&reference, rows, now)?;
        let claims = Arc::clone(&rows.claims);
        let session = SessionView::of_row(&rows.session, claims, &rows.told, reference.expires_at);
        Ok(SessionAnswer { session, revocations_checked_at: reading.at })
    }
}

impl ReferenceReader {
    /// Returns the rows, from the database if the cached rows are older than the token or than a known change.
    async fn read_rows(
        &self,
        reference: &Reference,
        max_age: Duration,
        now: Timestamp,
    ) -> Result<Arc<Reading>> {
        let reading = self.rows.read(reference.session_id, max_age).await;
        let rows = reading.rows()?;
        let (session, user) = (&rows.session, &rows.user);
        let changed = self.index.check(session.id, user.id, session.epoch, now)?;
        let outdated = session.version < reference.version
            || changed.is_some_and(|changed| user.version < changed.version);
        if outdated { Ok(self.rows.read(reference.session_id, Duration::ZERO).await) } else { Ok(reading) }
    }

    fn check(&self, reference: &Reference, rows: &SessionRows, now: Timestamp) -> Result<()> {
        let (session, user) = (&rows.session, &rows.user);
        match session.ended {
            // A ban that was lifted, or has expired, still ended the session.
            Some((_, EndReason::Banned)) | None if user.is_banned(now) => return Err(Error::UserBanned),
            Some(_) => return Err(Error::SessionRevoked),
            None if session.epoch < user.epoch => return Err(Error::SessionRevoked),
            None => {}
        }
        // The row is older than its token: the database was restored.
        if session.version < reference.version || now >= session.expires_at.plus(self.rules.clock_leeway) {
            return Err(Error::SessionExpired);
        }
        if self.rules.role_makes_claims && session.claims_role.as_ref() != Some(&user.role) {
            return Err(Error::TokenStale);
        }
        Ok(())
    }
}
