//! `IssueToken`: redeems a grant for the first two tokens of its session (Auth.js `jwt`, trigger `signIn` or `signUp`).

use std::sync::Arc;

use super::token_issuer::TokenIssuer;
use super::token_response::{Rotation, TokenResponse};
use crate::auth::audit::Audit;
use crate::auth::callbacks::Invoke;
use crate::auth::callbacks::{JwtInput, Trigger};
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::live::check_live;
use crate::auth::retry::ATTEMPTS;
use crate::auth::revocation::SessionEnder;
use crate::auth::sign_in::pending_session::{GRANT_TTL, SessionDrafts};
use crate::model::{
    AuthLogAction, AuthLogOutcome, ClaimMap, Clock, EndReason, Reason, RequestMark, Session, SessionLifetime,
    Timestamp, User,
};
use crate::storage::{SessionStore, commands};
use crate::tokens::GrantToken;

/// The request of `IssueToken`.
pub struct IssueTokenRequest<'a> {
    /// The grant of a sign-in.
    pub grant: &'a str,
    /// The audiences of the tokens; if empty, every configured one.
    pub audiences: Vec<String>,
    /// The mark of the request, if it may be repeated.
    pub request: Option<RequestMark>,
    /// A shorter lifetime of the session.
    pub lifetime: SessionLifetime,
}

/// The use case `IssueToken`.
pub struct IssueToken {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Opens the pending record of the sign-in.
    pub drafts: SessionDrafts,
    /// The callbacks.
    pub invoke: Invoke,
    /// Issues the tokens.
    pub issuer: Arc<TokenIssuer>,
    /// Ends the session of a grant that a callback denies.
    pub ender: Arc<SessionEnder>,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl IssueToken {
    /// Redeems a grant.
    pub async fn run(&self, call: &Call, request: IssueTokenRequest<'_>) -> Result<TokenResponse> {
        let audiences = self.issuer.first_audiences(&request.audiences)?;
        let grant = GrantToken::parse(request.grant).ok_or(Error::GrantInvalid)?;
        for _ in 0..ATTEMPTS {
            let found = self.sessions.find_session_by_grant(grant.hash()).await?;
            let (session, user) =
                found.filter(|(session, _)| session.group == call.caller.group).ok_or(Error::GrantInvalid)?;
            if session.grant.redeemed_at.is_some() {
                return self.issue_again(call, &session, &user, request.request).await;
            }
            let now = self.clock.now();
            check_pending(&session, &user, now)?;
            // A call that loses the race for the grant finds it redeemed on the second read.
            let redeemed = self.redeem(call, (&session, &user), &audiences, &request, now).await?;
            if let Some(response) = redeemed {
                return Ok(response);
            }
        }
        Err(Error::Conflict)
    }

    /// Redeems the grant; returns `None` if another call did.
    async fn redeem(
        &self,
        call: &Call,
        (session, user): (&Session, &User),
        audiences: &[String],
        request: &IssueTokenRequest<'_>,
        now: Timestamp,
    ) -> Result<Option<TokenResponse>> {
        let lifetime = self.drafts.lifetimes.shorter(request.lifetime);
        let lifetimes = self.drafts.lifetimes.of_session(lifetime);
        let claims = self.first_claims(call, session, user).await?;
        let redeemed = Session {
            expires_at: lifetimes.session_end(session.authenticated_at, now),
            lifetime,
            audiences: audiences.to_vec(),
            granted_audiences: Some(audiences.to_vec()),
            claims,
            claims_role: Some(user.role.clone()),
            version: session.version + 1,
            ..session.clone()
        };
        let token = self.issuer.access.issue(&redeemed, user).await?;
        let first = self.issuer.first(session.id, request.request.as_ref(), now);
        let log = self.audit.session_entry(AuthLogAction::TokenIssued, call, session, user);
        let redemption = commands::RedeemGrant {
            session_id: session.id,
            at: now,
            request: request.request,
            refresh: first.state,
            expires_at: redeemed.expires_at,
            lifetime,
            audiences: redeemed.audiences,
            claims: redeemed.claims,
            claims_role: user.role.clone(),
            log: self.audit.unless_excluded(log),
        };
        let done = self.sessions.redeem_grant(redemption).await?;
        Ok(done.then(|| TokenResponse::new(token, first.token, Rotation::Issued)))
    }

    /// Makes the claims of a first token with the `jwt` callbacks. If a callback denies it, the pending session ends.
    async fn first_claims(&self, call: &Call, session: &Session, user: &User) -> Result<ClaimMap> {
        let pending = self.drafts.open(session)?;
        let nothing = ClaimMap::new();
        let input = JwtInput {
            trigger: if pending.is_new_user { Trigger::SignUp } else { Trigger::SignIn },
            user,
            account: Some(&pending.account),
            profile: Some(&pending.profile),
            profile_omitted: &pending.profile_omitted,
            app_data: Some(&pending.app_data),
            session_id: session.id,
            origin: &call.origin,
            claims: &nothing,
            update: &nothing,
        };
        let claims = self.invoke.jwt(&input).await;
        if let Err(Error::CallbackDenied(_)) = &claims {
            let log = self.audit.session_entry(AuthLogAction::TokenDenied, call, session, user);
            let log = log.ended(AuthLogOutcome::Denied, Reason::CallbackDenied);
            self.ender.end(session.id, EndReason::Denied, log).await?;
        }
        claims
    }

    /// Repeats the response of an earlier redemption, with the same refresh token, by derivation.
    async fn issue_again(
        &self,
        call: &Call,
        session: &Session,
        user: &User,
        request: Option<RequestMark>,
    ) -> Result<TokenResponse> {
        let now = self.clock.now();
        let (Some(mark), Some(redeemed_at), Some(refresh)) =
            (request, session.grant.redeemed_at, session.refresh.as_ref())
        else {
            return Err(Error::GrantUsed);
        };
        let same = session.grant.redemption == Some(mark) && now < redeemed_at.plus(GRANT_TTL);
        if !same || refresh.generation != 0 {
            return Err(Error::GrantUsed);
        }
        check_live(session, user, now, &self.drafts.lifetimes)?;
        let refresh_token = self.issuer.first_again(session.id, &mark, refresh)?;
        // Claims that were made from the previous role keep that role, so that the token is stale like the first one.
        let role = session.claims_role.as_ref().unwrap_or(&user.role).clone();
        let token = self.issuer.access.issue(session, &User { role, ..user.clone() }).await?;
        self.audit
            .append(self.audit.session_entry(AuthLogAction::TokenReplayed, call, session, user))
            .await?;
        Ok(TokenResponse::new(token, refresh_token, Rotation::Replayed))
    }
}

/// Rejects the grant of a banned user, and a grant that expired or whose pending session was ended.
fn check_pending(session: &Session, user: &User, now: Timestamp) -> Result<()> {
    if user.is_banned(now) {
        return Err(Error::UserBanned);
    }
    match session.ended {
        Some((_, EndReason::Denied)) => return Err(Error::GrantUsed),
        Some(_) => return Err(Error::SessionRevoked),
        None => {}
    }
    if now >= session.grant.expires_at {
        return Err(Error::GrantExpired);
    }
    if user.epoch > session.epoch { Err(Error::SessionRevoked) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::samples;
    use crate::model::Ban;

    #[test]
    fn a_grant_is_good_until_it_expires_or_its_session_or_user_is_rejected() {
        let (session, user) = (samples::session(), samples::user());
        let banned = User { ban: Some(Ban::default()), ..user.clone() };
        let raised = User { epoch: 1, ..user.clone() };
        let ended = |reason| Session { ended: Some((Timestamp(0), reason)), ..session.clone() };
        for (session, user, now, error) in [
            (&session, &user, 59, None),
            (&session, &user, 60, Some("GrantExpired")),
            (&session, &raised, 59, Some("SessionRevoked")),
            (&session, &raised, 60, Some("GrantExpired")),
            (&ended(EndReason::Denied), &user, 0, Some("GrantUsed")),
            (&ended(EndReason::Revoked), &user, 60, Some("SessionRevoked")),
            (&ended(EndReason::Revoked), &banned, 60, Some("UserBanned")),
        ] {
            let checked = check_pending(session, user, Timestamp::from_seconds(now));
            assert_eq!(checked.err().map(|error| format!("{error:?}")).as_deref(), error);
        }
    }
}
