//! `SignIn`: a person proves who they are and becomes a user with a pending session (Auth.js' callback route and `signIn`).
//!
//! Prove the credential; find the account, else the rule for e-mails; banned?; `sign_in` callbacks; then one transaction that writes all
//! or nothing. Who meets another writer on the way looks again.

use super::ask;
use super::callbacks::{Denial, DenialReason, SignInDecision, SignInInput};
use super::caller::Call;
use super::error::{Error, Result};
use super::pending::Pending;
use super::person::{Person, Refusal};
use super::prove::{Credential, Proven, Proving};
use super::shared::Auth;
use crate::model::{
    Account, AuthLogAction, AuthLogEntry, AuthLogOutcome, ClaimMap, DeniedError, Email, Grant, ProviderId,
    RedirectUrl, RequestMark, Session, SessionId, Timestamp, User,
};
use crate::oauth::ProviderTokens;
use crate::storage::{Opened, Opening};
use crate::tokens::GrantToken;

/// How long a grant can be redeemed.
pub(super) const GRANT_TTL: std::time::Duration = std::time::Duration::from_mins(1);

/// What `SignIn` asks.
pub struct SignIn {
    /// What proves who it is.
    pub credential: Credential,
    /// Where the person wants to go; empty: where the flow says.
    pub redirect_to: String,
    /// An access token of the person who links this account; empty: nobody does.
    pub link_access_token: String,
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
    /// The grant, and until when it can be redeemed; none where the account was linked.
    pub grant: Option<(GrantToken, Timestamp)>,
    /// Where to send the person.
    pub redirect_to: RedirectUrl,
    /// The provider's tokens, this once.
    pub provider_tokens: Option<ProviderTokens>,
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

/// Whose sign-in the log tells of, as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub(super) provider: Option<ProviderId>,
    pub(super) email: Option<Email>,
}

impl Auth {
    /// Signs a person in, or links an account to the user who is.
    pub async fn sign_in(&self, call: &Call, request: SignIn) -> Result<SignInOutcome> {
        let mut attempt = Attempt { provider: request.credential.provider().cloned(), email: None };
        let outcome = self.attempt(call, request, &mut attempt).await;
        match &outcome {
            Err(Error::CallerNotAllowed(_)) => {
                self.log_caller_denied(&call.origin, "CALLER_NOT_ALLOWED").await?;
            }
            Err(error) => {
                if let Some(reason) = failure(error) {
                    let entry = self.denied_log(call, &attempt, AuthLogOutcome::Failed, reason);
                    self.append_log(entry).await?;
                }
            }
            Ok(_) => {}
        }
        outcome
    }

    async fn attempt(&self, call: &Call, request: SignIn, attempt: &mut Attempt) -> Result<SignInOutcome> {
        let links = match request.link_access_token.as_str() {
            "" => None,
            token => Some(self.signed_in(call, token).await?),
        };
        let mut proven = match self.prove(call, request.credential, attempt).await? {
            Proving::Person(proven) => *proven,
            Proving::Refused(denial) => {
                let refusal = Refusal { denial, linked_providers: Vec::new(), user_id: None };
                return self.denied(call, attempt, refusal).await;
            }
        };
        attempt.email.clone_from(&proven.profile.email);
        let linked_from = links.as_ref().map(|signed_in| signed_in.session.id);
        if proven.flow_link.is_some_and(|begun_by| begun_by != linked_from) {
            // Another session than began it, or none: whoever comes back is not known to be who went.
            return Err(Error::ReauthenticationRequired);
        }
        if !request.redirect_to.is_empty() {
            proven.redirect_to = request.redirect_to;
        }
        match links {
            Some(signed_in) => self.link(call, proven, signed_in, attempt).await,
            None => self.sign_in_proven(call, proven, request.request, attempt).await,
        }
    }

    async fn prove(&self, call: &Call, credential: Credential, attempt: &mut Attempt) -> Result<Proving> {
        match credential {
            Credential::Profile(profile) => {
                attempt.email.clone_from(&profile.email);
                call.caller.must_assert(&profile.provider)?;
                Ok(Proving::Person(Box::new(Proven::vouched(*profile))))
            }
            Credential::OAuthCallback(callback) => {
                let flow = self.returned_flow(call, &callback)?;
                attempt.provider = Some(flow.provider.clone());
                self.prove_by_callback(flow, &callback).await
            }
            Credential::IdToken(credential) => self.prove_by_id_token(call, &credential).await,
        }
    }

    async fn sign_in_proven(
        &self,
        call: &Call,
        mut proven: Proven,
        request: Option<RequestMark>,
        attempt: &Attempt,
    ) -> Result<SignInOutcome> {
        let profile = proven.profile.to_claims();
        for again in [false, true, true, true, true] {
            let person = match self.find_person(&proven.profile, again).await? {
                Ok(person) => person,
                Err(refusal) => return self.denied(call, attempt, refusal).await,
            };
            let input = SignInInput {
                user: &person.user,
                account: &person.account,
                profile: &profile,
                is_new_user: person.is_new(),
                origin: &call.origin,
            };
            match ask::sign_in(&*self.parts.callbacks, &input).await? {
                SignInDecision::Allow => {}
                SignInDecision::Deny(denial) => {
                    return self.denied(call, attempt, person.refused(denial)).await;
                }
                SignInDecision::Redirect(url) => return self.redirected(call, attempt, &url).await,
            }
            let redirect_to = self.redirect_to(&proven.redirect_to).await?;
            let opened = self.open(call, &proven, request, person, &profile, &redirect_to).await?;
            if let Some(mut allowed) = opened {
                allowed.provider_tokens = proven.tokens.take();
                return Ok(SignInOutcome::Allowed(Box::new(allowed)));
            }
        }
        Err(Error::Conflict)
    }

    /// A callback sends the person elsewhere first.
    pub(super) async fn redirected(
        &self,
        call: &Call,
        attempt: &Attempt,
        url: &str,
    ) -> Result<SignInOutcome> {
        let url = self.redirect_to(url).await?;
        self.append_log(self.denied_log(call, attempt, AuthLogOutcome::Redirected, "REDIRECTED")).await?;
        Ok(SignInOutcome::Redirect(url))
    }

    /// Writes the sign-in; none when somebody else wrote first.
    async fn open(
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
        let opening = Opening {
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

    pub(super) async fn denied(
        &self,
        call: &Call,
        attempt: &Attempt,
        refusal: Refusal,
    ) -> Result<SignInOutcome> {
        let Refusal { denial, linked_providers, user_id } = refusal;
        let entry = self.denied_log(call, attempt, AuthLogOutcome::Denied, denial.reason.name());
        self.append_log(AuthLogEntry { user_id, ..entry }).await?;
        let rules = &self.rules.sign_in;
        let redirect_to = match denial.reason {
            DenialReason::UserBanned => rules.banned_url.with_error(DeniedError::AccessDenied),
            DenialReason::AccountNotLinked => rules.denied_url.with_error(DeniedError::OAuthAccountNotLinked),
            DenialReason::ProviderError => rules.denied_url.with_error(DeniedError::OAuthCallbackError),
            DenialReason::AccessDenied
            | DenialReason::AccountOwnedByOther
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
        attempt: &Attempt,
        outcome: AuthLogOutcome,
        reason: &'static str,
    ) -> AuthLogEntry {
        let mut entry = self.log_entry(AuthLogAction::SignInDenied, &call.origin).ended(outcome, reason);
        entry.email = attempt.email.as_ref().map(|email| email.as_str().to_owned());
        entry.provider = attempt.provider.as_ref().map(ToString::to_string);
        entry
    }
}

/// What the log says of a sign-in that failed; nothing where the log itself can't be written.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other error comes from a sign-in")]
fn failure(error: &Error) -> Option<&'static str> {
    match error {
        Error::CredentialInvalid(_, fault) | Error::ProviderUnavailable(_, fault) => Some(fault.kind.name()),
        Error::StateMismatch => Some("STATE_MISMATCH"),
        Error::FlowInvalid => Some("FLOW_INVALID"),
        Error::FlowExpired => Some("FLOW_EXPIRED"),
        Error::FlowUsed => Some("FLOW_USED"),
        Error::ProviderNotFound => Some("PROVIDER_NOT_FOUND"),
        Error::ReauthenticationRequired => Some("REAUTHENTICATION_REQUIRED"),
        Error::SessionRevoked => Some("SESSION_REVOKED"),
        Error::SessionExpired => Some("SESSION_EXPIRED"),
        Error::UserBanned => Some("USER_BANNED"),
        Error::CallbackUnavailable(_) => Some("CALLBACK_UNAVAILABLE"),
        Error::InvalidRequest(_) => Some("INVALID_REQUEST"),
        Error::GrantUsed => Some("GRANT_USED"),
        Error::Conflict => Some("CONFLICT"),
        _ => None,
    }
}
