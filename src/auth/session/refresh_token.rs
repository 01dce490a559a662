//! `RefreshToken`: issues the next two tokens of a session for the current state of its user (Auth.js `jwt`, trigger
//! `update`).
//!
//! **One live refresh token per session, always.** The presented token is compared with the row. One UPDATE,
//! conditional on the row that was read, rotates it; the loser of that race reads again. A token that was replaced
//! recently returns the live one, by derivation. Any other reuse of an old token ends the session (RFC 9700 section
//! 4.14.2).

use std::sync::Arc;

use super::rotation::{RotationDecision, RotationRules, decide_rotation};
use super::token_issuer::{NextRefreshToken, TokenIssuer};
use super::token_response::{Rotation, TokenResponse};
use crate::auth::audit::Audit;
use crate::auth::callbacks::Invoke;
use crate::auth::callbacks::{JwtInput, Trigger};
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::live::check_live;
use crate::auth::retry::ATTEMPTS;
use crate::auth::revocation::SessionEnder;
use crate::auth::rules::Strategy;
use crate::model::{
    AuthLogAction, AuthLogOutcome, ClaimMap, Clock, EndReason, Lifetimes, Reason, RefreshState, Session,
    SessionId, Timestamp, User, claims,
};
use crate::storage::{SessionStore, commands};

/// The request of `RefreshToken`.
pub struct RefreshTokenRequest<'a> {
    /// The refresh token.
    pub refresh_token: &'a str,
    /// Claims to change; only those that `session.update_allow` lists. A null removes a claim.
    pub update: ClaimMap,
    /// The audiences of the tokens, of those that `IssueToken` granted; if empty, as before.
    pub audiences: Vec<String>,
}

/// The use case `RefreshToken`.
pub struct RefreshToken {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The callbacks.
    pub invoke: Invoke,
    /// Issues the tokens.
    pub issuer: Arc<TokenIssuer>,
    /// Ends the session of a reused token.
    pub ender: Arc<SessionEnder>,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// The configured rules of refreshes.
    pub rules: RefreshRules,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The configured rules of refreshes.
#[derive(Debug, Clone)]
pub struct RefreshRules {
    /// The rules of spent refresh tokens.
    pub rotation: RotationRules,
    /// The lifetimes of sessions.
    pub lifetimes: Lifetimes,
    /// Claims that a client may change by `update`.
    pub update_allow: Vec<String>,
}

/// The session as it is after a refresh.
struct Refreshed {
    session: Session,
    /// True if the row changes. It does not if a response is repeated with nothing new.
    is_written: bool,
}

impl RefreshToken {
    /// Refreshes a session.
    pub async fn run(&self, call: &Call, request: RefreshTokenRequest<'_>) -> Result<TokenResponse> {
        let presented = self.issuer.verify(request.refresh_token)?;
        claims::check_free(&request.update).map_err(|fault| Error::invalid("update", fault.to_string()))?;
        for _ in 0..ATTEMPTS {
            let (session, user) = self.load(call, presented.session_id()).await?;
            let now = self.clock.now();
            check_live(&session, &user, now, &self.rules.lifetimes)?;
            // A genuine token of a session that has none: the row is older than the token, so the database was
            // restored.
            let row = session.refresh.as_ref().ok_or(Error::SessionExpired)?;
            let repeated = |token| (Rotation::Replayed, NextRefreshToken { token, state: row.clone() });
            let (rotation, next) = match decide_rotation(row, &presented, now, &self.rules.rotation) {
                RotationDecision::Rotate(kept) => {
                    (Rotation::Rotated, self.issuer.successor((&presented, row.hash), kept, now))
                }
                RotationDecision::Recover(kept) => {
                    (Rotation::Recovered, self.issuer.successor((&presented, presented.hash()), kept, now))
                }
                RotationDecision::Hold => repeated(presented.clone()),
                RotationDecision::Replay(place) => repeated(self.issuer.live_again(&presented, place, row)?),
                RotationDecision::Wait => return Err(Error::SuccessorUnknown),
                RotationDecision::Expire => return Err(Error::SessionExpired),
                RotationDecision::Revoke => {
                    self.end_reused(call, &session, &user).await?;
                    continue;
                }
            };
            let refreshed = self.refreshed(call, &request, (&session, &user), rotation, now).await?;
            let token = self.issuer.access.issue(&refreshed.session, &user).await?;
            if self.rotate(call, (&session, &user), rotation, row.hash, (next.state, refreshed), now).await? {
                return Ok(TokenResponse::new(token, next.token, rotation));
            }
        }
        Err(Error::Conflict)
    }

    /// Loads the session of a token, if it belongs to the caller's group.
    async fn load(&self, call: &Call, id: SessionId) -> Result<(Session, User)> {
        let (session, user) = self.sessions.find_session(id).await?.ok_or(Error::SessionExpired)?;
        if session.group == call.caller.group { Ok((session, user)) } else { Err(Error::RefreshInvalid) }
    }

    /// Makes the session as it is after this refresh, with claims from the `jwt` callbacks.
    async fn refreshed(
        &self,
        call: &Call,
        request: &RefreshTokenRequest<'_>,
        (session, user): (&Session, &User),
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Refreshed> {
        let audiences = self.issuer.next_audiences(&request.audiences, session)?;
        let mut update = request.update.clone();
        update.retain(|name, _| self.rules.update_allow.contains(name));
        self.invoke.claims.check_update(&update)?;
        let mut before = session.claims.clone();
        claims::merge(&mut before, update.clone());
        let replayed = rotation == Rotation::Replayed;
        // Repeating the same response changes nothing, so that retries need not race each other. Claims that callbacks
        // add to it are returned, and stored at the next rotation.
        let nothing_new = replayed
            && before == session.claims
            && session.claims_role.as_ref() == Some(&user.role)
            && audiences == session.audiences;
        let claims = self.updated_claims(call, (session, user), &before, &update).await?;
        let session = match self.issuer.access.rules.strategy {
            // A reference returns what the row stores.
            Strategy::Database if nothing_new => session.clone(),
            Strategy::Jwt if nothing_new => Session { claims, ..session.clone() },
            Strategy::Jwt | Strategy::Database => Session {
                expires_at: if replayed {
                    session.expires_at
                } else {
                    let lifetimes = self.rules.lifetimes.of_session(session.lifetime);
                    lifetimes.session_end(session.authenticated_at, now)
                },
                audiences,
                claims,
                claims_role: Some(user.role.clone()),
                version: session.version + 1,
                ..session.clone()
            },
        };
        Ok(Refreshed { session, is_written: !nothing_new })
    }

    /// Makes the claims of the session with the `jwt` callbacks; the previous claims already include the update.
    async fn updated_claims(
        &self,
        call: &Call,
        (session, user): (&Session, &User),
        before: &ClaimMap,
        update: &ClaimMap,
    ) -> Result<ClaimMap> {
        let input = JwtInput {
            trigger: Trigger::Update,
            user,
            account: None,
            profile: None,
            profile_omitted: &[],
            app_data: None,
            session_id: session.id,
            origin: &call.origin,
            claims: before,
            update,
        };
        let after = self.invoke.jwt(&input).await;
        if let Err(Error::CallbackDenied(_)) = &after {
            let log = self.audit.session_entry(AuthLogAction::TokenDenied, call, session, user);
            self.audit.append(log.ended(AuthLogOutcome::Denied, Reason::CallbackDenied)).await?;
        }
        after
    }

    /// Rotates the row if it still has this hash; returns true if it had.
    async fn rotate(
        &self,
        call: &Call,
        (session, user): (&Session, &User),
        rotation: Rotation,
        expected_hash: [u8; 32],
        (refresh, after): (RefreshState, Refreshed),
        now: Timestamp,
    ) -> Result<bool> {
        let action = match rotation {
            Rotation::Replayed => AuthLogAction::TokenReplayed,
            Rotation::Issued | Rotation::Rotated | Rotation::Recovered => AuthLogAction::TokenRefreshed,
        };
        let step = commands::RotateRefreshToken {
            session_id: session.id,
            expected_hash,
            at: now,
            advance: after.is_written.then_some(commands::SessionAdvance {
                expected_version: session.version,
                refresh,
                expires_at: after.session.expires_at,
                audiences: after.session.audiences,
                granted_audiences: session.granted_audiences.is_none().then(|| session.audiences.clone()),
                claims: after.session.claims,
                claims_role: user.role.clone(),
            }),
            ip_address: call.origin.ip_address.clone(),
            log: self.audit.unless_excluded(self.audit.session_entry(action, call, session, user)),
        };
        Ok(self.sessions.rotate_refresh_token(step).await?)
    }

    /// Ends the session of a reused token; returns without an error if the session had already ended.
    async fn end_reused(&self, call: &Call, session: &Session, user: &User) -> Result<()> {
        let log = self.audit.session_entry(AuthLogAction::RefreshReused, call, session, user);
        let log = log.ended(AuthLogOutcome::Failed, Reason::RefreshReused);
        if self.ender.end(session.id, EndReason::Reused, log).await?.is_none() {
            return Ok(());
        }
        tracing::warn!(session_id = %session.id, user_id = %user.id, "refresh token reused; session ended");
        Err(Error::RefreshReused)
    }
}
