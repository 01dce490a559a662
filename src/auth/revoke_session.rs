//! `RevokeSession`: an administrator ends one session.

use super::caller::Call;
use super::error::{Error, Result};
use super::shared::Auth;
use crate::model::{AuthLogAction, EndReason, SessionId};
use crate::storage::Ending;

impl Auth {
    /// Ends a session; that it had ended already is as good.
    pub async fn revoke_session(&self, call: &Call, id: SessionId) -> Result<()> {
        let (session, user) = self.parts.sessions.find_session(id).await?.ok_or(Error::SessionNotFound)?;
        let now = self.now();
        let ending = Ending {
            session_id: id,
            at: now,
            reason: EndReason::Revoked,
            remember_until: self.rules.remember_until(now),
            log: self.unless_excluded(self.session_log(AuthLogAction::SessionRevoked, call, &session, &user)),
        };
        if let Some(revoked) = self.parts.sessions.end_session(ending).await? {
            self.hold(&revoked);
        }
        Ok(())
    }
}
