//! A session as callers see it, made from the claims of a token or from the rows that a reference names. `IssueToken`,
//! `RefreshToken` and `GetSession` therefore return the same view of one token.

use std::sync::Arc;

use crate::model::{ClaimMap, Session, Timestamp, UserId};
use crate::tokens::{AccessClaims, UserClaims};

/// A session as callers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionView {
    /// The session's id.
    pub id: String,
    /// Its user.
    pub user: SessionUser,
    /// The expiry of the session, unless it is refreshed.
    pub expires_at: Timestamp,
    /// The expiry of its access token.
    pub access_token_expires_at: Timestamp,
    /// The time at which the user authenticated.
    pub authenticated_at: Timestamp,
    /// The provider that vouched.
    pub provider: String,
    /// The claims that the callbacks added.
    pub claims: Arc<ClaimMap>,
}

/// The user of a session, as far as its token describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    /// The user's id.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// True if a provider vouched for the e-mail address.
    pub email_verified: bool,
    /// Address of a picture.
    pub image: Option<String>,
    /// Role.
    pub role: Option<String>,
}

impl From<&AccessClaims> for SessionView {
    fn from(claims: &AccessClaims) -> Self {
        Self {
            id: claims.session_id.to_string(),
            user: SessionUser::new(claims.user_id, &claims.user),
            expires_at: claims.session_expires_at,
            access_token_expires_at: claims.expires_at,
            authenticated_at: claims.authenticated_at,
            provider: claims.provider.clone(),
            claims: Arc::clone(&claims.added),
        }
    }
}

impl SessionUser {
    fn new(id: UserId, told: &UserClaims) -> Self {
        Self {
            id: id.to_string(),
            name: told.name.clone(),
            email: told.email.clone(),
            email_verified: told.email_verified.unwrap_or(false),
            image: told.picture.clone(),
            role: told.role.clone(),
        }
    }
}

impl SessionView {
    /// Makes the view for a reference from the row of its session, whose claims are passed separately.
    pub(super) fn of_row(
        session: &Session,
        claims: Arc<ClaimMap>,
        user: &UserClaims,
        access_token_expires_at: Timestamp,
    ) -> Self {
        Self {
            id: session.id.to_string(),
            user: SessionUser::new(session.user_id, user),
            expires_at: session.expires_at,
            access_token_expires_at,
            authenticated_at: session.authenticated_at,
            provider: session.provider.to_string(),
            claims,
        }
    }

    /// Replaces the user as of the token's issue by the current user.
    pub(super) fn refresh_user(&mut self, user_id: UserId, now: &UserClaims) {
        self.user = SessionUser::new(user_id, now);
    }
}
