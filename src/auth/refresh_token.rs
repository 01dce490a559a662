//! `RefreshToken`: the next two tokens of a session, of a user as it is now (Auth.js `jwt`, trigger `update`).
//!
//! **One live refresh token per session, always.** The presented token is compared with the row, and the row moves
//! on by one UPDATE that still expects what was read; who loses that race reads again. Lost answers are given again
//! by derivation, and an old token that turns up otherwise ends the session (RFC 9700 section 4.14.2).

use std::time::Duration;

use super::ask;
use super::callbacks::{JwtInput, Trigger};
use super::caller::Call;
use super::error::{Error, Result};
use super::issued::{Issued, Rotation};
use super::shared::{Auth, LateRetry, Strategy};
use crate::model::{
    AuthLogAction, AuthLogOutcome, ClaimMap, EndReason, RefreshState, Session, Timestamp, User, claims,
    random,
};
use crate::storage::commands;
use crate::tokens::GenuineRefreshToken;

/// How often a refresh that met another writer reads again.
const ATTEMPTS: u32 = 8;

/// What `RefreshToken` asks.
pub struct RefreshToken<'a> {
    /// The refresh token.
    pub refresh_token: &'a str,
    /// Claims to change; those that `session.update_allow` lists. A null removes one.
    pub update: ClaimMap,
    /// What the tokens are for; empty: as before.
    pub audiences: Vec<String>,
}

/// What a genuine token is to the row it belongs to.
enum Standing {
    /// It is the live one, or may stand for it: this is the next state, and the token of it.
    Good(Rotation, Box<RefreshState>, GenuineRefreshToken),
    /// It was spent before and turned up again.
    Reused,
}

impl Auth {
    /// Refreshes a session.
    pub async fn refresh_token(&self, call: &Call, request: RefreshToken<'_>) -> Result<Issued> {
        let presented = GenuineRefreshToken::verify(&self.parts.secrets, request.refresh_token)?;
        claims::check_free(&request.update).map_err(|fault| Error::invalid("update", fault.to_string()))?;
        for _ in 0..ATTEMPTS {
            let found = self.parts.sessions.find_session(presented.session_id()).await?;
            let (session, user) = found.ok_or(Error::SessionExpired)?;
            if session.group != call.caller.group {
                return Err(Error::RefreshInvalid);
            }
            self.check_live(&session, &user)?;
            let outcome = match self.standing(&presented, &session)? {
                Standing::Good(rotation, next, token) => {
                    self.advance(call, &request, (&session, &user), (rotation, *next, token)).await?
                }
                Standing::Reused => self.end_reused(call, &session, &user).await?,
            };
            if let Some(issued) = outcome {
                return Ok(issued);
            }
        }
        Err(Error::Conflict)
    }

    /// Refuses the session of a banned user, and one that has ended or run out.
    pub(super) fn check_live(&self, session: &Session, user: &User) -> Result<()> {
        let now = self.now();
        if user.is_banned(now) {
            Err(Error::UserBanned)
        } else if session.ended.is_some() || user.epoch > session.epoch {
            Err(Error::SessionRevoked)
        } else if now >= self.end_of(session) {
            Err(Error::SessionExpired)
        } else {
            Ok(())
        }
    }

    /// When a session ends by itself: as its row says, or sooner where the configured limits were lowered since.
    fn end_of(&self, session: &Session) -> Timestamp {
        let last_issued =
            session.refresh.as_ref().map_or(session.authenticated_at, |refresh| refresh.rotated_at);
        session.expires_at.min(self.rules.lifetimes.session_end(session.authenticated_at, last_issued))
    }

    fn standing(&self, presented: &GenuineRefreshToken, session: &Session) -> Result<Standing> {
        let (now, hash) = (self.now(), presented.hash());
        // A token of a session that has none: the row is older than the token, the database was restored.
        let row = session.refresh.as_ref().ok_or(Error::SessionExpired)?;
        if hash == row.hash {
            return Ok(self.successor(Rotation::Rotated, presented, now));
        }
        if row.previous_hash == Some(hash) {
            if self.may_be_retried(row.rotated_at, now) {
                let token = presented.successor_again(&self.parts.secrets, &row.salt, &row.hash);
                return Ok(Standing::Good(
                    Rotation::Replayed,
                    Box::new(row.clone()),
                    token.ok_or(Error::SuccessorUnknown)?,
                ));
            }
            // Its successor is the live one, so nobody has used it yet.
            return Ok(match self.rules.late_retry {
                LateRetry::Recover => self.successor(Rotation::Recovered, presented, now),
                LateRetry::Revoke => Standing::Reused,
            });
        }
        if presented.generation() > row.generation {
            Err(Error::SessionExpired)
        } else {
            Ok(Standing::Reused)
        }
    }

    /// Whether a rotation was so short a time ago that its answer is given again. One that is yet to come was made by a
    /// clock that is ahead; by more than clocks may differ, and a second for one that was set right, it opens no window.
    fn may_be_retried(&self, rotated_at: Timestamp, now: Timestamp) -> bool {
        now.since(rotated_at) < self.rules.refresh_retry_window
            && rotated_at.since(now) <= self.rules.clock_leeway.max(Duration::from_secs(1))
    }

    fn successor(&self, rotation: Rotation, presented: &GenuineRefreshToken, now: Timestamp) -> Standing {
        let salt = random(&*self.parts.entropy);
        let token = presented.successor(&self.parts.secrets, &salt);
        let next = RefreshState {
            hash: token.hash(),
            previous_hash: Some(presented.hash()),
            generation: token.generation(),
            salt,
            rotated_at: now,
        };
        Standing::Good(rotation, Box::new(next), token)
    }

    /// Moves the session on; none when it moved meanwhile.
    async fn advance(
        &self,
        call: &Call,
        request: &RefreshToken<'_>,
        (session, user): (&Session, &User),
        (rotation, next, refresh_token): (Rotation, RefreshState, GenuineRefreshToken),
    ) -> Result<Option<Issued>> {
        let now = self.now();
        let live = session.refresh.as_ref().ok_or(Error::SessionExpired)?;
        let audiences = self.choose_audiences(&request.audiences, &session.audiences)?;
        let update = self.allowed_update(request);
        let mut before = session.claims.clone();
        claims::merge(&mut before, update.clone());
        let replayed = rotation == Rotation::Replayed;
        // Giving the same answer again changes nothing, so that any number of retries need not race each other:
        // what callbacks add to it is told, and kept at the next rotation.
        let nothing_new = replayed
            && before == session.claims
            && session.claims_role.as_ref() == Some(&user.role)
            && audiences == session.audiences;
        let claims = self.updated_claims(call, (session, user), &before, &update).await?;
        let after = match self.rules.strategy {
            // A reference tells what the row keeps.
            Strategy::Database if nothing_new => session.clone(),
            Strategy::Jwt if nothing_new => Session { claims, ..session.clone() },
            Strategy::Jwt | Strategy::Database => Session {
                expires_at: if replayed {
                    session.expires_at
                } else {
                    self.rules.lifetimes.session_end(session.authenticated_at, now)
                },
                audiences,
                claims,
                claims_role: Some(user.role.clone()),
                version: session.version + 1,
                ..session.clone()
            },
        };
        let token = self.issue_access_token(&after, user).await?;
        let action = if replayed { AuthLogAction::TokenReplayed } else { AuthLogAction::TokenRefreshed };
        let step = commands::RotateRefreshToken {
            session_id: session.id,
            expected_hash: live.hash,
            at: now,
            advance: (!nothing_new).then_some(commands::SessionAdvance {
                expected_version: session.version,
                refresh: next,
                expires_at: after.expires_at,
                audiences: after.audiences,
                claims: after.claims,
                claims_role: user.role.clone(),
            }),
            ip_address: call.origin.ip_address.clone(),
            log: self.unless_excluded(self.session_log(action, call, session, user)),
        };
        let moved = self.parts.sessions.rotate_refresh_token(step).await?;
        Ok(moved.then(|| Issued::new(token, refresh_token, rotation)))
    }

    /// What of the update the client may change.
    fn allowed_update(&self, request: &RefreshToken<'_>) -> ClaimMap {
        let mut update = request.update.clone();
        update.retain(|name, _| self.rules.update_allow.contains(name));
        update
    }

    /// The session's claims, the update in them already, after the `jwt` callbacks.
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
            session_id: session.id,
            origin: &call.origin,
            claims: before,
            update,
        };
        let after = ask::jwt(&*self.parts.callbacks, &input).await;
        if let Err(Error::CallbackDenied(_)) = &after {
            let log = self.session_log(AuthLogAction::TokenDenied, call, session, user);
            self.append_log(log.ended(AuthLogOutcome::Denied, "CALLBACK_DENIED")).await?;
        }
        after
    }

    /// Ends the session of a reused token; none when it had ended already.
    async fn end_reused(&self, call: &Call, session: &Session, user: &User) -> Result<Option<Issued>> {
        let log = self.session_log(AuthLogAction::RefreshReused, call, session, user);
        let log = log.ended(AuthLogOutcome::Failed, "REFRESH_REUSED");
        if self.end(session.id, EndReason::Reused, log).await?.is_none() {
            return Ok(None);
        }
        tracing::warn!(session_id = %session.id, user_id = %user.id, "refresh token reused, session ended");
        Err(Error::RefreshReused)
    }
}
