//! `RevokeUserSessions`: an administrator ends every session of a user.

use crate::auth::admin::get_user::UserKey;
use crate::auth::caller::Call;
use crate::auth::error::Result;
use crate::auth::rules::Auth;
use crate::model::{AuthLogAction, Email, EndReason, UserId};
use crate::storage::EndingAll;

impl Auth {
    /// Ends every session of a user; answers how many were live.
    pub async fn revoke_user_sessions(&self, call: &Call, id: UserId) -> Result<u64> {
        let user = self.get_user(UserKey::Id(id)).await?;
        let now = self.now();
        let log = self.log_entry(AuthLogAction::SessionRevoked, &call.origin);
        let ending = EndingAll {
            user_id: id,
            except: None,
            only_if_live: None,
            at: now,
            reason: EndReason::Revoked,
            remember_until: self.rules.remember_until(now),
            log: self.unless_excluded(log.of_user(id, user.email.as_ref().map(Email::as_str))),
        };
        let revoked = self.parts.sessions.end_sessions_of(ending).await?;
        self.hold(&revoked);
        Ok(revoked.sessions_ended)
    }
}
