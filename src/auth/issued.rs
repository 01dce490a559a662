//! What `IssueToken` and `RefreshToken` answer, and the steps they share: audiences, the access token.

use std::sync::Arc;

use super::ask;
use super::error::{Error, Result};
use super::session::SessionView;
use super::shared::{Auth, Strategy};
use crate::model::{Session, Timestamp, TokenId, User};
use crate::tokens::{AccessClaims, GenuineRefreshToken, IssueFault, Reference};

/// Both tokens of a session.
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// When it expires; its `exp`.
    pub access_token_expires_at: Timestamp,
    /// The refresh token.
    pub refresh_token: GenuineRefreshToken,
    /// When the session ends, unless it is refreshed.
    pub refresh_token_expires_at: Timestamp,
    /// The session as the access token tells it.
    pub session: SessionView,
    /// Where the refresh token comes from.
    pub rotation: Rotation,
}

crate::model::name_enum!(
    /// Where a refresh token comes from.
    Rotation {
        /// The first of its session.
        Issued = "ISSUED",
        /// The successor of the one presented.
        Rotated = "ROTATED",
        /// The same answer again.
        Replayed = "REPLAYED",
        /// A new successor in place of one that was never used.
        Recovered = "RECOVERED",
    }
);

/// An access token and the session that it proves.
pub(super) struct AccessToken {
    text: String,
    session: SessionView,
}

impl Auth {
    /// The audiences asked for, if all are configured; all of `otherwise`, if none is asked for.
    pub(super) fn choose_audiences(&self, asked: &[String], otherwise: &[String]) -> Result<Vec<String>> {
        let configured = &self.rules.audiences;
        if asked.is_empty() {
            let kept: Vec<_> = otherwise.iter().filter(|aud| configured.contains(aud)).cloned().collect();
            let none_left =
                || Error::invalid("audiences", "none of the session's audiences is configured any more");
            return if kept.is_empty() { Err(none_left()) } else { Ok(kept) };
        }
        if asked.iter().all(|aud| configured.contains(aud)) {
            let mut chosen: Vec<String> = Vec::new();
            for audience in asked {
                if !chosen.contains(audience) {
                    chosen.push(audience.clone());
                }
            }
            Ok(chosen)
        } else {
            Err(Error::invalid("audiences", "must be among the configured tokens.audiences"))
        }
    }

    /// Issues an access token of the configured kind for a session, which is given as its row will be when the token
    /// is answered, and lets `session` callbacks tell of it.
    pub(super) async fn issue_access_token(&self, session: &Session, user: &User) -> Result<AccessToken> {
        let issued_at = self.now().floor_to_second();
        let expires_at =
            issued_at.plus(self.rules.lifetimes.access_ttl).min(session.expires_at).floor_to_second();
        let issued = match self.rules.strategy {
            Strategy::Jwt => self.issue_jwt(session, user, issued_at, expires_at),
            Strategy::Database => self.issue_reference(session, user, issued_at, expires_at),
        };
        let mut token = issued?;
        ask::session(&self.parts.callbacks, &mut token.session).await?;
        Ok(token)
    }

    fn issue_jwt(
        &self,
        session: &Session,
        user: &User,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> std::result::Result<AccessToken, IssueFault> {
        let claims = AccessClaims {
            issuer: self.rules.issuer.clone(),
            user_id: user.id,
            audiences: session.audiences.clone(),
            expires_at,
            issued_at,
            token_id: TokenId::mint(&*self.parts.clock, &*self.parts.entropy),
            session_id: session.id,
            authenticated_at: session.authenticated_at,
            client_id: session.group.clone(),
            epoch: session.epoch,
            provider: session.provider.to_string(),
            session_expires_at: session.expires_at,
            user: self.rules.user_claims(user),
            added: Arc::new(session.claims.clone()),
        };
        Ok(AccessToken {
            text: self.parts.ring.issue(&claims, self.now())?,
            session: SessionView::from(&claims),
        })
    }

    fn issue_reference(
        &self,
        session: &Session,
        user: &User,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> std::result::Result<AccessToken, IssueFault> {
        let reference = Reference {
            session_id: session.id,
            version: session.version,
            issued_at,
            expires_at,
            audiences: session.audiences.clone(),
        };
        let (claims, user) = (Arc::new(session.claims.clone()), self.rules.user_claims(user));
        Ok(AccessToken {
            text: self.parts.references.issue(&reference)?,
            session: SessionView::of_row(session, claims, &user, expires_at),
        })
    }
}

impl Issued {
    pub(super) fn new(token: AccessToken, refresh_token: GenuineRefreshToken, rotation: Rotation) -> Self {
        Self {
            access_token: token.text,
            access_token_expires_at: token.session.access_token_expires_at,
            refresh_token,
            refresh_token_expires_at: token.session.expires_at,
            session: token.session,
            rotation,
        }
    }
}
