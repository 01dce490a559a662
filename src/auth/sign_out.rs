//! `SignOut`: a session's own token ends it, or every session of its user (Auth.js `signOut()`).

use super::caller::Call;
use super::error::{Error, Result};
use super::reload_keys::verify_again;
use super::shared::Auth;
use crate::model::{AuthLogAction, EndReason, Session, SessionId, User};
use crate::storage::{Revoked, commands};
use crate::tokens::{GenuineRefreshToken, References};

/// What `SignOut` asks.
pub struct SignOut<'a> {
    /// Any genuine token of the session, expired or rotated too.
    pub token: SignOutToken<'a>,
    /// End every session of the user.
    pub everywhere: bool,
    /// But this one.
    pub except_current: bool,
}

/// The token that names the session.
#[derive(Clone, Copy)]
pub enum SignOutToken<'a> {
    /// An access token.
    Access(&'a str),
    /// A refresh token.
    Refresh(&'a str),
}

impl Auth {
    /// Ends sessions; answers how many were live.
    pub async fn sign_out(&self, call: &Call, request: SignOut<'_>) -> Result<u64> {
        if request.except_current && !request.everywhere {
            return Err(Error::invalid("except_current", "goes with everywhere"));
        }
        let (id, not_yours) = match request.token {
            SignOutToken::Access(token) => {
                (self.session_of_access_token(token).await?, Error::CallerNotAllowed(None))
            }
            SignOutToken::Refresh(token) => {
                let genuine = GenuineRefreshToken::verify(&self.parts.secrets, token)?;
                (genuine.session_id(), Error::RefreshInvalid)
            }
        };
        let Some((session, user)) = self.parts.sessions.find_session(id).await? else { return Ok(0) };
        if session.group != call.caller.group {
            return Err(not_yours);
        }
        // By no replica's clock may it be refreshed any more.
        if session.ended.is_none() && self.now() >= session.expires_at.plus(self.rules.clock_leeway) {
            return Ok(0);
        }
        let revoked = if session.ended.is_some() {
            Revoked::default()
        } else if request.everywhere {
            self.end_everywhere(call, &session, &user, request.except_current).await?
        } else {
            let log = self.session_log(AuthLogAction::SignOut, call, &session, &user);
            self.end(session.id, EndReason::SignedOut, log).await?.unwrap_or_default()
        };
        if revoked.entries.is_empty() {
            self.hold_what_is().await?;
        }
        Ok(revoked.sessions_ended)
    }

    async fn session_of_access_token(&self, token: &str) -> Result<SessionId> {
        if References::are_meant_by(token) {
            return Ok(self.parts.references.verify_genuine(token, self.now())?.session_id);
        }
        let verify = || self.parts.verifier.verify_genuine(token, self.now());
        Ok(verify_again(&*self.parts.keys, verify).await?.0.session_id)
    }

    /// Ends them all, while this one is live by some replica's clock: a token of a session that is over says nothing of
    /// others.
    async fn end_everywhere(
        &self,
        call: &Call,
        session: &Session,
        user: &User,
        but_this: bool,
    ) -> Result<Revoked> {
        let now = self.now();
        let ending = commands::EndUserSessions {
            user_id: user.id,
            except: but_this.then_some(session.id),
            only_if_live: Some((session.id, now.minus(self.rules.clock_leeway))),
            at: now,
            reason: EndReason::SignedOut,
            remember_until: self.rules.remember_until(now),
            log: self.unless_excluded(self.session_log(AuthLogAction::SignOut, call, session, user)),
        };
        let revoked = self.parts.sessions.end_user_sessions(ending).await?;
        self.hold(&revoked);
        Ok(revoked)
    }
}
