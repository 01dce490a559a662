//! Opening a session: the rows that an allowed sign-in writes in one transaction, and the same response for a repeated
//! request.

use std::sync::Arc;

use super::credential::proven::Proven;
use super::outcome::Allowed;
use super::pending_session::{Pending, SessionDrafts};
use super::person::Person;
use super::sync::EmailFollowed;
use crate::auth::audit::Audit;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::revocation::LocalRevocations;
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, Clock, Email, LogNote, RedirectUrl, RequestMark, SessionId,
    VisibleProfile,
};
use crate::storage::{Opened, SessionStore, commands};

/// Opens sessions.
pub struct OpenSession {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Drafts pending sessions.
    pub drafts: SessionDrafts,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// Applies the changed user on this replica immediately.
    pub local: Arc<LocalRevocations>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl OpenSession {
    /// Writes the sign-in; returns `None` if another writer was first.
    pub(super) async fn open(
        &self,
        call: &Call,
        proven: &Proven,
        request: Option<RequestMark>,
        person: Person,
        profile: &VisibleProfile,
        redirect_to: RedirectUrl,
    ) -> Result<Option<Allowed>> {
        let is_new_user = person.is_new();
        let now = person.user.last_sign_in_at.unwrap_or_default();
        let pending = Pending {
            account: person.account.clone(),
            profile: profile.claims.clone(),
            profile_omitted: profile.omitted.clone(),
            app_data: proven.app_data.clone(),
            is_new_user,
        };
        let (session, grant) = self.drafts.draft(&call.caller.group, request, &person.user, &pending, now)?;
        let allowed = Allowed {
            user: person.user.clone(),
            account: pending.account,
            is_new_user,
            grant: Some((grant, session.grant.expires_at)),
            redirect_to,
            provider_tokens: None,
        };
        let log = self.log(call, &person, session.id);
        let (user, account) = person.into_writes();
        let opening = commands::OpenSession {
            user,
            account,
            session,
            used: proven.used.clone(),
            outcome: proven.claim.as_ref().map(|claim| {
                let (account, grant) = (&allowed.account, allowed.grant.as_ref());
                claim.allowed(account, is_new_user, grant, &allowed.redirect_to)
            }),
            ip_address: call.origin.ip_address.clone(),
            remember_until: self.local.remember_until(now),
            log,
        };
        match self.sessions.open_session(opening).await? {
            Opened::Done(entries) => {
                self.local.apply_entries(&entries, Some(&allowed.user));
                Ok(Some(allowed))
            }
            Opened::Conflict => Ok(None),
            Opened::OutcomeKnown => Err(Error::Conflict),
            Opened::RequestKnown => {
                let known = self.same_answer(request, allowed.redirect_to).await?;
                known.ok_or(Error::Conflict).map(Some)
            }
            Opened::Used => {
                // The first writer may have been an earlier attempt of this request.
                let known = self.same_answer(request, allowed.redirect_to).await?;
                known.ok_or_else(|| proven.used_before()).map(Some)
            }
        }
    }

    /// Logs the rows of a sign-in.
    fn log(&self, call: &Call, person: &Person, session_id: SessionId) -> Vec<AuthLogEntry> {
        let signed = if person.is_new() { AuthLogAction::SignUp } else { AuthLogAction::SignIn };
        let linked = person.is_linked_by_email().then_some(AuthLogAction::AccountLinked);
        let row = |action| self.audit.user_entry(action, call, &person.user);
        let followed = person.email_followed.as_ref().map(|EmailFollowed(replaced)| {
            let replaced = replaced.as_ref().map(Email::as_str);
            let entry = self.audit.entry(AuthLogAction::UserUpdated, &call.origin);
            entry.of_user(person.user.id, replaced).ended(AuthLogOutcome::Success, LogNote::EmailFollowed)
        });
        let rows = [Some(row(signed)), linked.map(row), followed].into_iter().flatten();
        let rows = rows.map(|entry| entry.of_session(session_id, person.account.provider.as_str()));
        rows.filter_map(|entry| self.audit.unless_excluded(entry)).collect()
    }

    /// Repeats the response to a repeated request, with the same grant, by derivation. Returns `None` if there was no
    /// earlier response.
    async fn same_answer(
        &self,
        request: Option<RequestMark>,
        redirect_to: RedirectUrl,
    ) -> Result<Option<Allowed>> {
        let Some(mark) = &request else { return Ok(None) };
        let Some((session, user)) = self.sessions.find_session_by_request(mark.key).await? else {
            return Ok(None);
        };
        if session.grant.request != Some(*mark) {
            return Err(Error::invalid(
                "request_id",
                "was already used for another request; create a new one",
            ));
        }
        if self.clock.now() >= session.grant.expires_at {
            return Err(Error::invalid("request_id", "was used more than 60 seconds ago; create a new one"));
        }
        let grant = self.drafts.grant_again(&session, mark);
        // Once the grant is redeemed its sealed record is gone, and the client already has the response.
        let pending = self.drafts.open(&session).map_err(|_| Error::GrantUsed)?;
        Ok(Some(Allowed {
            user,
            account: pending.account,
            is_new_user: pending.is_new_user,
            grant: Some((grant.ok_or(Error::SuccessorUnknown)?, session.grant.expires_at)),
            redirect_to,
            provider_tokens: None,
        }))
    }
}
