//! Who is signed in, as far as linking an account asks: the session of an access token, read anew, whose person proved
//! lately who they are.

use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::auth::session::get_session::GetSession;
use crate::model::{Session, SessionId, User};

/// A person who is signed in.
pub(in crate::auth) struct SignedIn {
    pub(in crate::auth) session: Session,
    pub(in crate::auth) user: User,
}

impl Auth {
    /// The person whose access token this is, if they may link an account now.
    pub(in crate::auth) async fn signed_in(&self, call: &Call, access_token: &str) -> Result<SignedIn> {
        let asked = GetSession { access_token, audience: "", max_staleness: None };
        let told = self.readers.of(access_token).read(&asked).await?.session;
        let id: SessionId = told.id.parse().map_err(|_| Error::TokenMalformed)?;
        let found = self.parts.sessions.find_session(id).await?;
        let (session, user) = found.ok_or(Error::SessionExpired)?;
        if session.group != call.caller.group {
            return Err(Error::CallerNotAllowed(None));
        }
        self.check_live(&session, &user)?;
        if session.authenticated_at.plus(self.rules.sign_in.link_within) < self.now() {
            return Err(Error::ReauthenticationRequired);
        }
        Ok(SignedIn { session, user })
    }

    /// Why this session, which was live a moment ago, is so no more.
    pub(in crate::auth) async fn why_over(&self, id: SessionId) -> Result<Error> {
        let Some((session, user)) = self.parts.sessions.find_session(id).await? else {
            return Ok(Error::SessionExpired);
        };
        Ok(self.check_live(&session, &user).err().unwrap_or(Error::SessionRevoked))
    }
}
