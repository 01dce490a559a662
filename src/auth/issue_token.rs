//! `IssueToken`: a grant becomes the first two tokens of its session (Auth.js `jwt`, trigger `signIn` or `signUp`).

use super::ask;
use super::callbacks::{JwtInput, Trigger};
use super::caller::Call;
use super::error::{Error, Result};
use super::issued::{Issued, Rotation};
use super::opening::GRANT_TTL;
use super::shared::Auth;
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, ClaimMap, Email, EndReason, RefreshState, RequestMark,
    Session, User, random,
};
use crate::storage::commands;
use crate::tokens::{GenuineRefreshToken, GrantToken};

/// What `IssueToken` asks.
pub struct IssueToken<'a> {
    /// The grant of a sign-in.
    pub grant: &'a str,
    /// What the tokens are for; empty: every configured audience.
    pub audiences: Vec<String>,
    /// The name of the request, if it may be repeated.
    pub request: Option<RequestMark>,
}

impl Auth {
    /// Redeems a grant.
    pub async fn issue_token(&self, call: &Call, request: IssueToken<'_>) -> Result<Issued> {
        let audiences = self.choose_audiences(&request.audiences, &self.rules.audiences)?;
        let grant = GrantToken::parse(request.grant).ok_or(Error::GrantInvalid)?;
        loop {
            let found = self.parts.sessions.find_session_by_grant(grant.hash()).await?;
            let (session, user) =
                found.filter(|(session, _)| session.group == call.caller.group).ok_or(Error::GrantInvalid)?;
            if session.grant.redeemed_at.is_some() {
                return self.issue_again(call, &session, &user, request.request).await;
            }
            self.check_pending(&session, &user)?;
            // Who loses the race for the grant finds it redeemed at the second look.
            if let Some(issued) = self.redeem(call, &session, &user, &audiences, request.request).await? {
                return Ok(issued);
            }
        }
    }

    fn check_pending(&self, session: &Session, user: &User) -> Result<()> {
        let now = self.now();
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

    /// Redeems the grant; none when somebody else did.
    async fn redeem(
        &self,
        call: &Call,
        session: &Session,
        user: &User,
        audiences: &[String],
        request: Option<RequestMark>,
    ) -> Result<Option<Issued>> {
        let now = self.now();
        let claims = self.first_claims(call, session, user).await?;
        let redeemed = Session {
            expires_at: self.rules.lifetimes.session_end(session.authenticated_at, now),
            audiences: audiences.to_vec(),
            claims,
            claims_role: Some(user.role.clone()),
            version: session.version + 1,
            ..session.clone()
        };
        let token = self.issue_access_token(&redeemed, user).await?;
        let salt = random(&*self.parts.entropy);
        let refresh_token = match &request {
            Some(mark) => {
                GenuineRefreshToken::first_of(&self.parts.secrets, session.id, &redemption_of(mark), &salt)
            }
            None => GenuineRefreshToken::first(&self.parts.secrets, &*self.parts.entropy, session.id),
        };
        let redemption = commands::RedeemGrant {
            session_id: session.id,
            at: now,
            request,
            refresh: RefreshState {
                hash: refresh_token.hash(),
                previous_hash: None,
                generation: refresh_token.generation(),
                salt,
                rotated_at: now,
            },
            expires_at: redeemed.expires_at,
            audiences: redeemed.audiences,
            claims: redeemed.claims,
            claims_role: user.role.clone(),
            log: self.unless_excluded(self.session_log(AuthLogAction::TokenIssued, call, session, user)),
        };
        let done = self.parts.sessions.redeem_grant(redemption).await?;
        Ok(done.then(|| Issued::new(token, refresh_token, Rotation::Issued)))
    }

    /// What the `jwt` callbacks add to a first token. One that refuses ends the pending session.
    async fn first_claims(&self, call: &Call, session: &Session, user: &User) -> Result<ClaimMap> {
        let pending = self.open_pending(session)?;
        let nothing = ClaimMap::new();
        let input = JwtInput {
            trigger: if pending.is_new_user { Trigger::SignUp } else { Trigger::SignIn },
            user,
            account: Some(&pending.account),
            profile: Some(&pending.profile),
            session_id: session.id,
            origin: &call.origin,
            claims: &nothing,
            update: &nothing,
        };
        let claims = ask::jwt(&*self.parts.callbacks, &input).await;
        if let Err(Error::CallbackDenied(_)) = &claims {
            let log = self.session_log(AuthLogAction::TokenDenied, call, session, user);
            let log = log.ended(AuthLogOutcome::Denied, "CALLBACK_DENIED");
            self.end(session.id, EndReason::Denied, log).await?;
        }
        claims
    }

    /// The answer to a redemption that was answered before: the same refresh token, by derivation.
    async fn issue_again(
        &self,
        call: &Call,
        session: &Session,
        user: &User,
        request: Option<RequestMark>,
    ) -> Result<Issued> {
        let now = self.now();
        let (Some(mark), Some(redeemed_at), Some(refresh)) =
            (request, session.grant.redeemed_at, session.refresh.as_ref())
        else {
            return Err(Error::GrantUsed);
        };
        let same = session.grant.redemption == Some(mark) && now < redeemed_at.plus(GRANT_TTL);
        if !same || refresh.generation != 0 {
            return Err(Error::GrantUsed);
        }
        self.check_live(session, user)?;
        let (id, redemption) = (session.id, redemption_of(&mark));
        let refresh_token = GenuineRefreshToken::first_again(
            &self.parts.secrets,
            id,
            &redemption,
            &refresh.salt,
            &refresh.hash,
        )
        .ok_or(Error::SuccessorUnknown)?;
        // Claims of the role as it was go with that role, so that the token is stale as the first one is.
        let role = session.claims_role.as_ref().unwrap_or(&user.role).clone();
        let token = self.issue_access_token(session, &User { role, ..user.clone() }).await?;
        self.append_log(self.session_log(AuthLogAction::TokenReplayed, call, session, user)).await?;
        Ok(Issued::new(token, refresh_token, Rotation::Replayed))
    }

    /// A row for the log, of this session and its user.
    pub(super) fn session_log(
        &self,
        action: AuthLogAction,
        call: &Call,
        session: &Session,
        user: &User,
    ) -> AuthLogEntry {
        self.log_entry(action, &call.origin)
            .of_user(user.id, user.email.as_ref().map(Email::as_str))
            .of_session(session.id, session.provider.as_str())
    }
}

fn redemption_of(mark: &RequestMark) -> [u8; 32] {
    crate::model::digest_of(b"gatepass redemption", &[&mark.key, &mark.fingerprint])
}
