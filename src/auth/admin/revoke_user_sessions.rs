//! `RevokeUserSessions`: an administrator ends every session of a user.

use std::sync::Arc;

use crate::auth::audit::Audit;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::revocation::end::{SessionEnder, SessionsOf};
use crate::model::{AuthLogAction, Clock, EndReason, UserId};
use crate::storage::UserStore;

/// The use case `RevokeUserSessions`.
pub struct RevokeUserSessions {
    /// The store of the users.
    pub users: Arc<dyn UserStore>,
    /// Ends sessions.
    pub ender: Arc<SessionEnder>,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl RevokeUserSessions {
    /// Ends every session of a user; returns the number of sessions that were live.
    pub async fn run(&self, call: &Call, id: UserId) -> Result<u64> {
        let user = self.users.find_user(id).await?.ok_or(Error::UserNotFound)?;
        let log = self.audit.user_entry(AuthLogAction::SessionRevoked, call, &user);
        let which = SessionsOf { user_id: id, except: None, only_if_live: None };
        let revoked = self.ender.end_all(which, self.clock.now(), EndReason::Revoked, log).await?;
        Ok(revoked.sessions_ended)
    }
}
