//! The session that an account is linked from: the session of an access token, read from the database, whose user
//! authenticated recently.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::live::check_live;
use crate::auth::session::readers::{GetSessionRequest, SessionCredential, SessionReaders};
use crate::model::{Clock, Lifetimes, Session, SessionId, User};
use crate::storage::SessionStore;

/// Finds the sessions that accounts are linked from.
pub struct LinkSessions {
    /// The readers of sessions.
    pub readers: SessionReaders,
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The configured rules of linking.
    pub rules: LinkRules,
}

/// The configured rules of linking.
#[derive(Debug, Clone, Copy)]
pub struct LinkRules {
    /// The time after a sign-in within which the user may link another account.
    pub within: Duration,
    /// The lifetimes of sessions.
    pub lifetimes: Lifetimes,
}

/// A signed-in user.
pub(super) struct SignedIn {
    pub(super) session: Session,
    pub(super) user: User,
}

impl LinkSessions {
    /// Finds the user of this access token, if they may link an account now.
    pub(super) async fn signed_in(&self, call: &Call, access_token: &str) -> Result<SignedIn> {
        let credential = SessionCredential::AccessToken(access_token);
        let asked = GetSessionRequest { credential, audience: "", max_staleness: None };
        let told = self.readers.of(credential)?.read(&asked).await?.session;
        let id: SessionId = told.id.parse().map_err(|_| Error::TokenMalformed)?;
        let (session, user) = self.sessions.find_session(id).await?.ok_or(Error::SessionExpired)?;
        if session.group != call.caller.group {
            return Err(Error::CallerNotAllowed(None));
        }
        let now = self.clock.now();
        check_live(&session, &user, now, &self.rules.lifetimes)?;
        if session.authenticated_at.plus(self.rules.within) < now {
            return Err(Error::ReauthenticationRequired);
        }
        Ok(SignedIn { session, user })
    }

    /// Returns the reason why this session, which was live a moment ago, is over.
    pub(super) async fn why_over(&self, id: SessionId) -> Result<Error> {
        let Some((session, user)) = self.sessions.find_session(id).await? else {
            return Ok(Error::SessionExpired);
        };
        let checked = check_live(&session, &user, self.clock.now(), &self.rules.lifetimes);
        Ok(checked.err().unwrap_or(Error::SessionRevoked))
    }
}
