//! A session as callers see it: made from a token's claims, so that `IssueToken`, `RefreshToken` and `GetSession`
//! can't tell different things of one token.

use crate::model::{ClaimMap, Timestamp};
use crate::tokens::{AccessClaims, UserClaims};

/// A session as callers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionView {
    /// The session's id.
    pub id: String,
    /// Its user.
    pub user: SessionUser,
    /// When it ends, unless it is refreshed.
    pub expires_at: Timestamp,
    /// When its access token does.
    pub access_token_expires_at: Timestamp,
    /// When the person proved who they are.
    pub authenticated_at: Timestamp,
    /// The provider that vouched.
    pub provider: String,
    /// What the callbacks added.
    pub claims: ClaimMap,
}

/// The user of a session, as far as its token tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    /// The user's id.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Whether a provider vouched for the e-mail.
    pub email_verified: bool,
    /// Address of a picture.
    pub image: Option<String>,
    /// Role.
    pub role: Option<String>,
}

impl From<&AccessClaims> for SessionView {
    fn from(claims: &AccessClaims) -> Self {
        let user = &claims.user;
        Self {
            id: claims.session_id.to_string(),
            user: SessionUser {
                id: claims.user_id.to_string(),
                name: user.name.clone(),
                email: user.email.clone(),
                email_verified: user.email_verified.unwrap_or(false),
                image: user.picture.clone(),
                role: user.role.clone(),
            },
            expires_at: claims.session_expires_at,
            access_token_expires_at: claims.expires_at,
            authenticated_at: claims.authenticated_at,
            provider: claims.provider.clone(),
            claims: claims.added.clone(),
        }
    }
}

impl SessionView {
    /// Tells the user as it is now instead of as it was when the token was issued.
    pub fn refresh_user(&mut self, now: &UserClaims) {
        self.user.name.clone_from(&now.name);
        self.user.email.clone_from(&now.email);
        self.user.email_verified = now.email_verified.unwrap_or(false);
        self.user.image.clone_from(&now.picture);
        self.user.role.clone_from(&now.role);
    }
}
