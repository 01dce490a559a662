//! Ends sessions, with immediate effect on this replica.

use std::sync::Arc;

use super::publish::LocalRevocations;
use crate::auth::audit::Audit;
use crate::auth::error::Result;
use crate::model::{AuthLogEntry, Clock, EndReason, SessionId, Timestamp, UserId};
use crate::storage::{Revoked, SessionStore, commands};

/// Ends sessions.
pub struct SessionEnder {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Applies revocations on this replica immediately.
    pub local: Arc<LocalRevocations>,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Selects all sessions of a user.
pub(in crate::auth) struct SessionsOf {
    pub(in crate::auth) user_id: UserId,
    /// The session that is not ended.
    pub(in crate::auth) except: Option<SessionId>,
    /// If set, nothing is ended unless this session was live at that time.
    pub(in crate::auth) only_if_live: Option<(SessionId, Timestamp)>,
}

impl SessionEnder {
    /// Ends one session; returns `None` if it had already ended.
    pub(in crate::auth) async fn end(
        &self,
        session_id: SessionId,
        reason: EndReason,
        log: AuthLogEntry,
    ) -> Result<Option<Revoked>> {
        let at = self.clock.now();
        let (remember_until, log) = (self.local.remember_until(at), self.audit.unless_excluded(log));
        let ending = commands::EndSession { session_id, at, reason, remember_until, log };
        let revoked = self.sessions.end_session(ending).await?;
        if let Some(revoked) = &revoked {
            self.local.apply(revoked);
        }
        Ok(revoked)
    }

    /// Ends all sessions of a user.
    pub(in crate::auth) async fn end_all(
        &self,
        which: SessionsOf,
        at: Timestamp,
        reason: EndReason,
        log: AuthLogEntry,
    ) -> Result<Revoked> {
        let SessionsOf { user_id, except, only_if_live } = which;
        let (remember_until, log) = (self.local.remember_until(at), self.audit.unless_excluded(log));
        let ending =
            commands::EndUserSessions { user_id, except, only_if_live, at, reason, remember_until, log };
        let revoked = self.sessions.end_user_sessions(ending).await?;
        self.local.apply(&revoked);
        Ok(revoked)
    }

    /// Catches up with the feed before a session is acknowledged as ended that had already ended.
    pub(in crate::auth) async fn catch_up(&self) -> Result<()> {
        self.local.catch_up().await
    }
}
