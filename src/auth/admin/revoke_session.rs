//! `RevokeSession`: an administrator ends one session.

use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::model::{AuthLogAction, EndReason, SessionId};

impl Auth {
    /// Ends a session; that it had ended already is as good.
    pub async fn revoke_session(&self, call: &Call, id: SessionId) -> Result<()> {
        let (session, user) = self.parts.sessions.find_session(id).await?.ok_or(Error::SessionNotFound)?;
        let log = self.session_log(AuthLogAction::SessionRevoked, call, &session, &user);
        match self.end(id, EndReason::Revoked, log).await? {
            Some(_) => Ok(()),
            None => self.hold_what_is().await,
        }
    }
}
