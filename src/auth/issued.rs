//! What `IssueToken` and `RefreshToken` answer, and the steps they share: audiences, `jwt` callbacks, the token.

use super::callbacks::{Callback, JwtDecision, JwtInput};
use super::error::{Error, Result};
use super::session::SessionView;
use super::shared::Auth;
use crate::model::{ClaimFault, ClaimMap, Session, Timestamp, TokenId, User, claims};
use crate::tokens::{AccessClaims, GenuineRefreshToken};

/// The most bytes of claims that a session keeps.
pub(super) const MAX_SESSION_CLAIMS: usize = 8 * 1024;

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

/// A signed access token and what it says.
pub(super) struct SignedToken {
    pub(super) text: String,
    pub(super) expires_at: Timestamp,
    pub(super) session: SessionView,
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

    /// Lets `jwt` callbacks add to the claims they are given; the answer is checked like any hostile input.
    pub(super) async fn run_jwt_callbacks(&self, input: &JwtInput<'_>) -> Result<ClaimMap> {
        let mut after = input.claims.clone();
        if self.parts.callbacks.has(Callback::Jwt) {
            match self.parts.callbacks.jwt(input).await? {
                JwtDecision::Claims(additions) => {
                    claims::check_additions(&additions)
                        .map_err(|fault| Callback::Jwt.failed(fault.to_string()))?;
                    claims::merge(&mut after, additions);
                }
                JwtDecision::Deny(detail) => return Err(Error::CallbackDenied(detail)),
            }
        }
        claims::check_size(&after, MAX_SESSION_CLAIMS)
            .map_err(|_: ClaimFault| Error::ClaimsTooLarge(MAX_SESSION_CLAIMS))?;
        Ok(after)
    }

    /// Signs an access token of a session that ends then, and lets `session` callbacks tell of it.
    pub(super) async fn sign_access_token(
        &self,
        session: &Session,
        user: &User,
        added: ClaimMap,
        audiences: &[String],
        session_expires_at: Timestamp,
    ) -> Result<SignedToken> {
        let now = self.now();
        let issued_at = now.floor_to_second();
        let claims = AccessClaims {
            issuer: self.rules.issuer.clone(),
            user_id: user.id,
            audiences: audiences.to_vec(),
            expires_at: issued_at
                .plus(self.rules.lifetimes.access_ttl)
                .min(session_expires_at)
                .floor_to_second(),
            issued_at,
            token_id: TokenId::mint(&*self.parts.clock, &*self.parts.entropy),
            session_id: session.id,
            authenticated_at: session.authenticated_at,
            client_id: session.group.clone(),
            epoch: session.epoch,
            provider: session.provider.to_string(),
            session_expires_at,
            user: self.rules.user_claims(user),
            added,
        };
        let text = self.parts.ring.issue(&claims, now)?;
        let mut view = SessionView::from(&claims);
        self.run_session_callbacks(&mut view).await?;
        Ok(SignedToken { text, expires_at: claims.expires_at, session: view })
    }
}

impl Issued {
    pub(super) fn new(
        token: SignedToken,
        refresh_token: GenuineRefreshToken,
        refresh_token_expires_at: Timestamp,
        rotation: Rotation,
    ) -> Self {
        Self {
            access_token: token.text,
            access_token_expires_at: token.expires_at,
            refresh_token,
            refresh_token_expires_at,
            session: token.session,
            rotation,
        }
    }
}
