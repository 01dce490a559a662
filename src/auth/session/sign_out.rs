//! `SignOut`: a token of a session ends that session, or every session of its user (Auth.js `signOut()`).

use std::sync::Arc;
use std::time::Duration;

use super::token_names::TokenNames;
use crate::auth::audit::Audit;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::revocation::end::{SessionEnder, SessionsOf};
use crate::model::{AuthLogAction, Clock, EndReason, SessionId};
use crate::storage::SessionStore;

/// The request of `SignOut`.
pub struct SignOutRequest<'a> {
    /// Any genuine token of the session, even if expired or rotated.
    pub token: SignOutToken<'a>,
    /// True to end every session of the user.
    pub everywhere: bool,
    /// True to keep this session.
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

/// The use case `SignOut`.
pub struct SignOut {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Reads the session that a token names.
    pub token_names: TokenNames,
    /// Ends sessions.
    pub ender: Arc<SessionEnder>,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
}

impl SignOut {
    /// Ends sessions; returns the number of sessions that were live.
    pub async fn run(&self, call: &Call, request: SignOutRequest<'_>) -> Result<u64> {
        if request.except_current && !request.everywhere {
            return Err(Error::invalid("except_current", "is only allowed with everywhere"));
        }
        let (id, not_yours) = self.named_session(request.token).await?;
        let Some((session, user)) = self.sessions.find_session(id).await? else { return Ok(0) };
        if session.group != call.caller.group {
            return Err(not_yours);
        }
        if session.ended.is_some() {
            self.ender.catch_up().await?;
            return Ok(0);
        }
        let now = self.clock.now();
        // No replica's clock allows a refresh any more.
        if now >= session.expires_at.plus(self.clock_leeway) {
            return Ok(0);
        }
        let log = self.audit.session_entry(AuthLogAction::SignOut, call, &session, &user);
        let revoked = if request.everywhere {
            let which = SessionsOf {
                user_id: user.id,
                except: request.except_current.then_some(session.id),
                // A token of a session that has expired by every replica's clock does not authorise ending other
                // sessions.
                only_if_live: Some((session.id, now.minus(self.clock_leeway))),
            };
            self.ender.end_all(which, now, EndReason::SignedOut, log).await?
        } else {
            self.ender.end(session.id, EndReason::SignedOut, log).await?.unwrap_or_default()
        };
        if revoked.entries.is_empty() {
            self.ender.catch_up().await?;
        }
        Ok(revoked.sessions_ended)
    }

    /// Returns the session that a token names, and the error if it belongs to another group.
    async fn named_session(&self, token: SignOutToken<'_>) -> Result<(SessionId, Error)> {
        Ok(match token {
            SignOutToken::Access(token) => {
                (self.token_names.of_access_token(token).await?, Error::CallerNotAllowed(None))
            }
            SignOutToken::Refresh(token) => {
                (self.token_names.of_refresh_token(token)?, Error::RefreshInvalid)
            }
        })
    }
}
