//! Opening a session: what a sign-in that was allowed writes, in one transaction, and the same answer again for a request
//! that is repeated.

use super::caller::Call;
use super::error::{Error, Result};
use super::pending::Pending;
use super::person::Person;
use super::prove::Proven;
use super::shared::Auth;
use super::sign_in::Allowed;
use crate::model::{
    AuthLogAction, AuthLogEntry, ClaimMap, Email, Grant, RedirectUrl, RequestMark, Session, SessionId,
    Timestamp, User,
};
use crate::storage::{Opened, commands};
use crate::tokens::GrantToken;

/// How long a grant can be redeemed.
pub(super) const GRANT_TTL: std::time::Duration = std::time::Duration::from_mins(1);

impl Auth {
    /// Writes the sign-in; none when somebody else wrote first.
    pub(super) async fn open(
        &self,
        call: &Call,
        proven: &Proven,
        request: Option<RequestMark>,
        person: Person,
        profile: &ClaimMap,
        redirect_to: &RedirectUrl,
    ) -> Result<Option<Allowed>> {
        let is_new_user = person.is_new();
        let now = person.user.last_sign_in_at.unwrap_or_default();
        let pending = Pending { account: person.account.clone(), profile: profile.clone(), is_new_user };
        let (session, grant) = self.pending_session(call, request, &person.user, &pending, now)?;
        let allowed = Allowed {
            user: person.user.clone(),
            account: person.account.clone(),
            is_new_user,
            grant: Some((grant, session.grant.expires_at)),
            redirect_to: redirect_to.clone(),
            provider_tokens: None,
        };
        let log = self.opening_log(call, &person, session.id);
        let (user, account) = person.into_writes();
        let opening = commands::OpenSession {
            user,
            account,
            session,
            used: proven.used.clone(),
            ip_address: call.origin.ip_address.clone(),
            remember_until: self.rules.remember_until(now),
            log,
        };
        match self.parts.sessions.open_session(opening).await? {
            Opened::Done(entries) => {
                self.hold_entries(&entries, Some(&allowed.user));
                Ok(Some(allowed))
            }
            Opened::Conflict => Ok(None),
            Opened::RequestKnown => {
                let known = self.same_answer(request, redirect_to).await?;
                known.ok_or(Error::Conflict).map(Some)
            }
            Opened::Used => {
                // The first one may have been this very request.
                let known = self.same_answer(request, redirect_to).await?;
                known.ok_or_else(|| proven.used_before()).map(Some)
            }
        }
    }

    /// The rows that tell of a sign-in.
    fn opening_log(&self, call: &Call, person: &Person, session_id: SessionId) -> Vec<AuthLogEntry> {
        let signed = if person.is_new() { AuthLogAction::SignUp } else { AuthLogAction::SignIn };
        let linked = person.is_linked_by_email().then_some(AuthLogAction::AccountLinked);
        let email = person.user.email.as_ref().map(Email::as_str);
        let row = |action| {
            let entry = self.log_entry(action, &call.origin).of_user(person.user.id, email);
            self.unless_excluded(entry.of_session(session_id, person.account.provider.as_str()))
        };
        [Some(signed), linked].into_iter().flatten().filter_map(row).collect()
    }

    fn pending_session(
        &self,
        call: &Call,
        request: Option<RequestMark>,
        user: &User,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(Session, GrantToken)> {
        let id = SessionId::mint(&*self.parts.clock, &*self.parts.entropy);
        let grant = match &request {
            Some(mark) => GrantToken::derived(&self.parts.secrets, mark, id.0.as_bytes()),
            None => GrantToken::random(&*self.parts.entropy),
        };
        let authenticated_at = now.floor_to_second();
        let session = Session {
            id,
            user_id: user.id,
            account_id: pending.account.id,
            provider: pending.account.provider.clone(),
            group: call.caller.group.clone(),
            epoch: user.epoch,
            authenticated_at,
            expires_at: self.rules.lifetimes.session_end(authenticated_at, now),
            ended: None,
            grant: Grant {
                hash: grant.hash(),
                expires_at: now.plus(GRANT_TTL),
                request,
                redeemed_at: None,
                redemption: None,
            },
            refresh: None,
            audiences: Vec::new(),
            claims: ClaimMap::new(),
            claims_role: None,
            pending: Some(self.seal_pending(id, pending)?),
            version: 0,
        };
        Ok((session, grant))
    }

    /// The answer to a request that was answered before: the same grant, by derivation. None where it was not.
    async fn same_answer(
        &self,
        request: Option<RequestMark>,
        redirect_to: &RedirectUrl,
    ) -> Result<Option<Allowed>> {
        let Some(mark) = &request else { return Ok(None) };
        let Some((session, user)) = self.parts.sessions.find_session_by_request(mark.key).await? else {
            return Ok(None);
        };
        if session.grant.request != Some(*mark) {
            return Err(Error::invalid("request_id", "was used for another request: make a new one"));
        }
        if self.now() >= session.grant.expires_at {
            return Err(Error::invalid("request_id", "was used more than 60 seconds ago: make a new one"));
        }
        let id = session.id.0.as_bytes();
        let grant = GrantToken::derived_again(&self.parts.secrets, mark, id, &session.grant.hash);
        // Once the grant is redeemed its sealed record is gone, and who holds the answer already is known.
        let pending = self.open_pending(&session).map_err(|_| Error::GrantUsed)?;
        Ok(Some(Allowed {
            user,
            account: pending.account,
            is_new_user: pending.is_new_user,
            grant: Some((grant.ok_or(Error::SuccessorUnknown)?, session.grant.expires_at)),
            redirect_to: redirect_to.clone(),
            provider_tokens: None,
        }))
    }
}
