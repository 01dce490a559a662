//! `SignIn`: a person proves who they are and becomes a user with a pending session (Auth.js' callback route and `signIn`).
//!
//! Prove the credential; find the account, else the rule for e-mails; banned?; `sign_in` callbacks; then one transaction
//! that writes all or nothing. Who meets another writer on the way looks again.

use super::ask;
use super::callbacks::{Denial, SignInDecision, SignInInput};
use super::caller::Call;
use super::denied::{Attempt, failure};
use super::error::{Error, Result};
use super::pending;
use super::person::Refusal;
use super::prove::{Credential, Proven, Proving};
use super::shared::Auth;
use crate::model::{Account, AuthLogOutcome, ProviderId, RedirectUrl, RequestMark, Timestamp, User};
use crate::oauth::ProviderTokens;
use crate::tokens::GrantToken;

/// How often a sign-in that met another writer looks again.
const ATTEMPTS: u32 = 5;

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

impl Auth {
    /// Signs a person in, or links an account to the user who is.
    pub async fn sign_in(&self, call: &Call, request: SignIn) -> Result<SignInOutcome> {
        let mut attempt = Attempt { provider: request.credential.provider().cloned(), ..Attempt::default() };
        let outcome = self.attempt(call, request, &mut attempt).await;
        match &outcome {
            Err(Error::CallerNotAllowed(_)) if self.samples_denial(true) => {
                self.log_caller_denied(&call.origin, "CALLER_NOT_ALLOWED").await;
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
        attempt.user_id = links.as_ref().map(|signed_in| signed_in.user.id);
        let mut proven = match self.prove(call, request.credential, attempt).await? {
            Proving::Person(proven) => *proven,
            Proving::Refused(denial) => {
                let refusal = Refusal { denial, linked_providers: Vec::new(), user_id: None };
                return self.denied(call, attempt, refusal).await;
            }
        };
        attempt.email.clone_from(&proven.profile.email);
        pending::check_size(&proven.profile)?;
        let linked_from = links.as_ref().map(|signed_in| signed_in.session.id);
        if proven.begun.is_some_and(|begun| begun.0 != linked_from) {
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
                let flow = self.returned_flow(call, &callback, attempt)?;
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
        attempt: &mut Attempt,
    ) -> Result<SignInOutcome> {
        let profile = proven.profile.to_claims();
        for attempted in 0..ATTEMPTS {
            let person = match self.find_person(&proven.profile, attempted > 0).await? {
                Ok(person) => person,
                Err(refusal) => return self.denied(call, attempt, refusal).await,
            };
            attempt.user_id = person.known_user();
            let input = SignInInput {
                user: &person.user,
                account: &person.account,
                profile: &profile,
                is_new_user: person.is_new(),
                is_new_account: person.has_new_account(),
                origin: &call.origin,
            };
            match ask::sign_in(&self.parts.callbacks, &input).await? {
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
}
