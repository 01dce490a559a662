//! `RevokeSession`: an administrator ends one session.

use std::sync::Arc;

use crate::auth::audit::Audit;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::revocation::SessionEnder;
use crate::model::{AuthLogAction, EndReason, SessionId};
use crate::storage::SessionStore;

/// The use case `RevokeSession`.
pub struct RevokeSession {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Ends sessions.
    pub ender: Arc<SessionEnder>,
    /// The auth log.
    pub audit: Arc<Audit>,
}

impl RevokeSession {
    /// Ends a session; succeeds also if the session has already ended.
    pub async fn run(&self, call: &Call, id: SessionId) -> Result<()> {
        let (session, user) = self.sessions.find_session(id).await?.ok_or(Error::SessionNotFound)?;
        let log = self.audit.session_entry(AuthLogAction::SessionRevoked, call, &session, &user);
        match self.ender.end(id, EndReason::Revoked, log).await? {
            Some(_) => Ok(()),
            None => self.ender.catch_up().await,
        }
    }
}
