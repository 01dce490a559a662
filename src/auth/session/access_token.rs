//! Access tokens of either kind, issued for a session.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::view::SessionView;
use crate::auth::callbacks::Invoke;
use crate::auth::error::Result;
use crate::auth::rules::{Strategy, UserClaim, user_claims};
use crate::model::{Clock, Entropy, Session, Timestamp, TokenId, User};
use crate::tokens::{AccessClaims, IssueFault, KeyRing, Reference, References};

/// Issues access tokens.
pub struct AccessTokens {
    /// The signing keys.
    pub ring: Arc<KeyRing>,
    /// The issuer of references.
    pub references: References,
    /// The callbacks.
    pub invoke: Invoke,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The configured rules of access tokens.
    pub rules: AccessRules,
}

/// The configured rules of access tokens.
#[derive(Debug, Clone)]
pub struct AccessRules {
    /// The `iss` of every token.
    pub issuer: String,
    /// The kind that is issued.
    pub strategy: Strategy,
    /// The lifetime of a token; its session may end sooner.
    pub access_ttl: Duration,
    /// The claims about the user that tokens contain.
    pub user_claims: BTreeSet<UserClaim>,
}

/// An access token and its session.
pub(super) struct AccessToken {
    pub(super) text: String,
    pub(super) session: SessionView,
}

impl AccessTokens {
    /// Issues a token of the configured kind for a session, and lets the `session` callbacks add to its view. The
    /// session is given as its row will be when the token is returned.
    pub(super) async fn issue(&self, session: &Session, user: &User) -> Result<AccessToken> {
        let now = self.clock.now();
        let expires_at = now.floor_to_second().plus(self.rules.access_ttl);
        let expires_at = expires_at.min(session.expires_at).floor_to_second();
        let issued = match self.rules.strategy {
            Strategy::Jwt => self.issue_jwt(session, user, now, expires_at),
            Strategy::Database => self.issue_reference(session, user, now, expires_at),
        };
        let mut token = issued?;
        self.invoke.session(&mut token.session).await?;
        Ok(token)
    }

    fn issue_jwt(
        &self,
        session: &Session,
        user: &User,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> std::result::Result<AccessToken, IssueFault> {
        let claims = AccessClaims {
            issuer: self.rules.issuer.clone(),
            user_id: user.id,
            audiences: session.audiences.clone(),
            expires_at,
            issued_at: now.floor_to_second(),
            token_id: TokenId::mint_at(now, &*self.entropy),
            session_id: session.id,
            authenticated_at: session.authenticated_at,
            client_id: session.group.clone(),
            epoch: session.epoch,
            provider: session.provider.to_string(),
            session_expires_at: session.expires_at,
            user: user_claims(&self.rules.user_claims, user),
            added: Arc::new(session.claims.clone()),
        };
        let (text, claims) = self.ring.issue(claims, now)?;
        Ok(AccessToken { text, session: SessionView::from(&claims) })
    }

    fn issue_reference(
        &self,
        session: &Session,
        user: &User,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> std::result::Result<AccessToken, IssueFault> {
        let reference = Reference {
            session_id: session.id,
            version: session.version,
            issued_at: now.floor_to_second(),
            expires_at,
            audiences: session.audiences.clone(),
        };
        let (claims, told) = (Arc::new(session.claims.clone()), user_claims(&self.rules.user_claims, user));
        Ok(AccessToken {
            text: self.references.issue(&reference)?,
            session: SessionView::of_row(session, claims, &told, expires_at),
        })
    }
}
