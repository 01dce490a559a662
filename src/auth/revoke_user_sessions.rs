//! `RevokeUserSessions`: an administrator ends every session of a user.

use super::caller::Call;
use super::error::Result;
use super::get_user::UserKey;
use super::shared::Auth;
use crate::model::{AuthLogAction, Email, EndReason, UserId};
use crate::storage::commands;

impl Auth {
    /// Ends every session of a user; answers how many were live.
    pub async fn revoke_user_sessions(&self, call: &Call, id: UserId) -> Result<u64> {
        let user = self.get_user(UserKey::Id(id)).await?;
        let now = self.now();
        let log = self.log_entry(AuthLogAction::SessionRevoked, &call.origin);
        let ending = commands::EndUserSessions {
            user_id: id,
            except: None,
            only_if_live: None,
            at: now,
            reason: EndReason::Revoked,
            remember_until: self.rules.remember_until(now),
            log: self.unless_excluded(log.of_user(id, user.email.as_ref().map(Email::as_str))),
        };
        let revoked = self.parts.sessions.end_user_sessions(ending).await?;
        self.hold(&revoked);
        Ok(revoked.sessions_ended)
    }
}
