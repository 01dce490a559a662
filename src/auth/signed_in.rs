//! Who is signed in, as far as linking an account asks: the session of an access token, read anew, whose person proved
//! lately who they are.

use super::caller::Call;
use super::error::{Error, Result};
use super::get_session::GetSession;
use super::shared::Auth;
use crate::model::{EndReason, Session, SessionId, User};

/// A person who is signed in.
pub(super) struct SignedIn {
    pub(super) session: Session,
    pub(super) user: User,
}

impl Auth {
    /// The person whose access token this is, if they may link an account now.
    pub(super) async fn signed_in(&self, call: &Call, access_token: &str) -> Result<SignedIn> {
        let asked = GetSession { access_token, audience: "", max_staleness: None };
        let told = self.readers.of(access_token).read(&asked).await?.session;
        let id: SessionId = told.id.parse().map_err(|_| Error::TokenMalformed)?;
        let found = self.parts.sessions.find_session(id).await?;
        let (session, user) = found.ok_or(Error::SessionExpired)?;
        if session.group != call.caller.group {
            return Err(Error::CallerNotAllowed(None));
        }
        let now = self.now();
        match session.ended {
            Some((_, EndReason::Banned)) | None if user.is_banned(now) => return Err(Error::UserBanned),
            Some(_) => return Err(Error::SessionRevoked),
            None if session.epoch < user.epoch => return Err(Error::SessionRevoked),
            None if now >= session.expires_at => return Err(Error::SessionExpired),
            None => {}
        }
        if session.authenticated_at.plus(self.rules.sign_in.link_within) < now {
            return Err(Error::ReauthenticationRequired);
        }
        Ok(SignedIn { session, user })
    }
}
