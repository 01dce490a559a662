//! `SignIn`: a proven person becomes a user with a pending session (Auth.js' callback route and `signIn`).
//!
//! Find the account, else the rule for e-mails; banned?; `sign_in` callbacks; then one transaction that writes all
//! or nothing. Who meets another writer on the way looks again.

use super::ask;
use super::callbacks::{Denial, DenialReason, SignInDecision, SignInInput};
use super::caller::Call;
use super::error::{Error, Result};
use super::pending::Pending;
use super::person::{Person, Refusal};
use super::shared::Auth;
use crate::model::{
    Account, AuthLogAction, AuthLogEntry, AuthLogOutcome, ClaimMap, DeniedError, Email, Grant, Profile,
    ProviderId, RedirectUrl, RequestMark, Session, SessionId, Timestamp, User,
};
use crate::storage::{Opened, Opening};
use crate::tokens::GrantToken;

/// How long a grant can be redeemed.
pub(super) const GRANT_TTL: std::time::Duration = std::time::Duration::from_mins(1);

/// How often a sign-in that met another writer looks again.
const ATTEMPTS: u32 = 5;

/// What `SignIn` asks.
#[derive(Debug)]
pub struct SignIn {
    /// The person, vouched for.
    pub profile: Profile,
    /// Where the person wants to go.
    pub redirect_to: String,
    /// The name of the request, if it may be repeated.
    pub request: Option<RequestMark>,
}

/// What `SignIn` answers.
#[derive(Debug)]
pub enum SignInOutcome {
    /// The person is in.
    Allowed(Box<Allowed>),
    /// The person is not.
    Denied(Denied),
    /// A callback sends the person elsewhere first.
    Redirect(RedirectUrl),
}

/// A sign-in that went well.
#[derive(Debug)]
pub struct Allowed {
    /// The user.
    pub user: User,
    /// The account that proved it.
    pub account: Account,
    /// Whether the user is new.
    pub is_new_user: bool,
    /// The grant.
    pub grant: GrantToken,
    /// Until when it can be redeemed.
    pub grant_expires_at: Timestamp,
    /// Where to send the person.
    pub redirect_to: RedirectUrl,
}

/// A sign-in that was denied.
#[derive(Debug)]
pub struct Denied {
    /// Why.
    pub denial: Denial,
    /// How the owner of the e-mail signs in.
    pub linked_providers: Vec<ProviderId>,
    /// Where to send the person.
    pub redirect_to: RedirectUrl,
}

impl Auth {
    /// Signs a person in that the caller vouches for.
    pub async fn sign_in(&self, call: &Call, request: SignIn) -> Result<SignInOutcome> {
        let outcome = match call.caller.must_assert(&request.profile.provider) {
            Ok(()) => self.sign_in_proven(call, &request).await,
            Err(refused) => Err(refused),
        };
        match &outcome {
            Err(Error::CallerNotAllowed(_)) => {
                self.log_caller_denied(&call.origin, "CALLER_NOT_ALLOWED").await?;
            }
            Err(error) => {
                if let Some(reason) = failure(error) {
                    let entry = self.denied_log(call, &request.profile, AuthLogOutcome::Failed, reason);
                    self.append_log(entry).await?;
                }
            }
            Ok(_) => {}
        }
        outcome
    }

    async fn sign_in_proven(&self, call: &Call, request: &SignIn) -> Result<SignInOutcome> {
        let profile = request.profile.to_claims();
        for attempt in 0..ATTEMPTS {
            let person = match self.find_person(&request.profile, attempt > 0).await? {
                Ok(person) => person,
                Err(refusal) => return self.denied(call, &request.profile, refusal).await,
            };
            match self.ask_callbacks(call, &person, &profile).await? {
                SignInDecision::Allow => {}
                SignInDecision::Deny(denial) => {
                    return self.denied(call, &request.profile, person.refused(denial)).await;
                }
                SignInDecision::Redirect(url) => {
                    let url = self.redirect_to(&url).await?;
                    let entry =
                        self.denied_log(call, &request.profile, AuthLogOutcome::Redirected, "REDIRECTED");
                    self.append_log(entry).await?;
                    return Ok(SignInOutcome::Redirect(url));
                }
            }
            let redirect_to = self.redirect_to(&request.redirect_to).await?;
            if let Some(allowed) = self.open(call, request, person, &profile, &redirect_to).await? {
                return Ok(SignInOutcome::Allowed(Box::new(allowed)));
            }
        }
        Err(Error::Conflict)
    }

    async fn ask_callbacks(
        &self,
        call: &Call,
        person: &Person,
        profile: &ClaimMap,
    ) -> Result<SignInDecision> {
        let input = SignInInput {
            user: &person.user,
            account: &person.account,
            profile,
            is_new_user: person.is_new(),
            origin: &call.origin,
        };
        ask::sign_in(&*self.parts.callbacks, &input).await
    }

    /// Writes the sign-in; none when somebody else wrote first.
    async fn open(
        &self,
        call: &Call,
        request: &SignIn,
        person: Person,
        profile: &ClaimMap,
        redirect_to: &RedirectUrl,
    ) -> Result<Option<Allowed>> {
        let is_new_user = person.is_new();
        let now = person.user.last_sign_in_at.unwrap_or_default();
        let pending = Pending { account: person.account.clone(), profile: profile.clone(), is_new_user };
        let (session, grant) = self.pending_session(call, request, &person.user, &pending, now)?;
        let action = if is_new_user { AuthLogAction::SignUp } else { AuthLogAction::SignIn };
        let email = person.user.email.as_ref().map(Email::as_str);
        let log = self
            .log_entry(action, &call.origin)
            .of_user(person.user.id, email)
            .of_session(session.id, person.account.provider.as_str());
        let allowed = Allowed {
            user: person.user.clone(),
            account: person.account.clone(),
            is_new_user,
            grant,
            grant_expires_at: session.grant.expires_at,
            redirect_to: redirect_to.clone(),
        };
        let (user, account) = person.into_writes();
        let opening = Opening {
            user,
            account,
            session,
            ip_address: call.origin.ip_address.clone(),
            remember_until: self.rules.remember_until(now),
            log: self.unless_excluded(log),
        };
        match self.parts.sessions.open_session(opening).await? {
            Opened::Done(entries) => {
                self.hold_entries(&entries, Some(&allowed.user));
                Ok(Some(allowed))
            }
            Opened::Conflict => Ok(None),
            Opened::RequestKnown => self.same_answer(request, redirect_to).await.map(Some),
        }
    }

    fn pending_session(
        &self,
        call: &Call,
        request: &SignIn,
        user: &User,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(Session, GrantToken)> {
        let id = SessionId::mint(&*self.parts.clock, &*self.parts.entropy);
        let grant = match &request.request {
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
                request: request.request,
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

    /// The answer to a request that was answered before: the same grant, by derivation.
    async fn same_answer(&self, request: &SignIn, redirect_to: &RedirectUrl) -> Result<Allowed> {
        let Some(mark) = &request.request else { return Err(Error::Conflict) };
        let Some((session, user)) = self.parts.sessions.find_session_by_request(mark.key).await? else {
            return Err(Error::Conflict);
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
        Ok(Allowed {
            user,
            account: pending.account,
            is_new_user: pending.is_new_user,
            grant: grant.ok_or(Error::SuccessorUnknown)?,
            grant_expires_at: session.grant.expires_at,
            redirect_to: redirect_to.clone(),
        })
    }

    async fn denied(&self, call: &Call, profile: &Profile, refusal: Refusal) -> Result<SignInOutcome> {
        let Refusal { denial, linked_providers, user_id } = refusal;
        let entry = self.denied_log(call, profile, AuthLogOutcome::Denied, denial.reason.name());
        self.append_log(AuthLogEntry { user_id, ..entry }).await?;
        let rules = &self.rules.sign_in;
        let redirect_to = match denial.reason {
            DenialReason::UserBanned => rules.banned_url.with_error(DeniedError::AccessDenied),
            DenialReason::AccountNotLinked => rules.denied_url.with_error(DeniedError::OAuthAccountNotLinked),
            DenialReason::AccessDenied
            | DenialReason::EmailNotAllowed
            | DenialReason::EmailNotVerified
            | DenialReason::SignUpClosed
            | DenialReason::CallbackDenied => rules.denied_url.with_error(DeniedError::AccessDenied),
        };
        Ok(SignInOutcome::Denied(Denied { denial, linked_providers, redirect_to }))
    }

    fn denied_log(
        &self,
        call: &Call,
        profile: &Profile,
        outcome: AuthLogOutcome,
        reason: &'static str,
    ) -> AuthLogEntry {
        let mut entry = self.log_entry(AuthLogAction::SignInDenied, &call.origin).ended(outcome, reason);
        entry.email = profile.email.as_ref().map(|email| email.as_str().to_owned());
        entry.provider = Some(profile.provider.to_string());
        entry
    }
}

/// What the log says of a sign-in that failed; nothing where the log itself can't be written.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other error comes from a sign-in")]
fn failure(error: &Error) -> Option<&'static str> {
    match error {
        Error::CallbackUnavailable(_) => Some("CALLBACK_UNAVAILABLE"),
        Error::InvalidRequest(_) => Some("INVALID_REQUEST"),
        Error::GrantUsed => Some("GRANT_USED"),
        Error::Conflict => Some("CONFLICT"),
        _ => None,
    }
}
