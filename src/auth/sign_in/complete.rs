//! The steps of `SignIn`: a person authenticates and becomes a user with a pending session (Auth.js' callback route and
//! `signIn`).
//!
//! The credential is verified, the user resolved, and the policy and the callbacks called; then one transaction writes
//! everything or nothing. A sign-in that lost to a concurrent writer starts again.

use std::sync::Arc;

use super::attempt::Attempt;
use super::credential::presented::Credential;
use super::credential::prove::Credentials;
use super::credential::proven::{Proven, Proving};
use super::denial::{Denials, Refusal};
use super::link_account::LinkAccount;
use super::open_session::OpenSession;
use super::outcome::SignInOutcome;
use super::resolve_user::ResolveUser;
use super::signed_in::LinkSessions;
use crate::auth::callbacks::Invoke;
use crate::auth::callbacks::{SignInDecision, SignInInput};
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::retry::ATTEMPTS;
use crate::model::{ClaimMap, RequestMark};

/// The request of `SignIn`.
pub struct SignInRequest {
    /// The credential of the person.
    pub credential: Credential,
    /// The URL that the person requested; if empty, that of the flow.
    pub redirect_to: String,
    /// An access token of the user who links this account; if empty, nothing is linked.
    pub link_access_token: String,
    /// The mark of the request, if it may be repeated.
    pub request: Option<RequestMark>,
    /// Data of the application for the callbacks; empty with a flow, which has its own.
    pub app_data: ClaimMap,
}

/// Completes a sign-in.
pub struct CompleteSignIn {
    /// Verifies credentials.
    pub credentials: Credentials,
    /// Finds or drafts the user of a profile.
    pub resolve: Arc<ResolveUser>,
    /// The callbacks.
    pub invoke: Invoke,
    /// Opens sessions.
    pub open: OpenSession,
    /// Links accounts.
    pub link: LinkAccount,
    /// Finds the session to link an account from.
    pub link_sessions: Arc<LinkSessions>,
    /// Answers denied sign-ins.
    pub denials: Arc<Denials>,
}

impl CompleteSignIn {
    /// Signs a person in, or links an account to the signed-in user. A failure is not logged yet.
    pub(super) async fn run(
        &self,
        call: &Call,
        request: SignInRequest,
        attempt: &mut Attempt,
    ) -> Result<SignInOutcome> {
        let links = match request.link_access_token.as_str() {
            "" => None,
            token => Some(self.link_sessions.signed_in(call, token).await?),
        };
        attempt.user_id = links.as_ref().map(|signed_in| signed_in.user.id);
        let mut proven = match self.credentials.prove(call, request.credential, attempt).await? {
            Proving::Person(proven) => *proven,
            Proving::Refused(denial) => {
                return self.denials.denied(call, attempt, Refusal::new(denial, None)).await;
            }
        };
        attempt.email.clone_from(&proven.profile.email);
        proven.check_begun_from(links.as_ref().map(|signed_in| signed_in.session.id))?;
        if !request.redirect_to.is_empty() {
            proven.redirect_to = request.redirect_to;
        }
        if !request.app_data.is_empty() {
            proven.app_data = request.app_data;
        }
        match links {
            Some(signed_in) => self.link.run(call, proven, signed_in, attempt).await,
            None => self.sign_in(call, proven, request.request, attempt).await,
        }
    }

    async fn sign_in(
        &self,
        call: &Call,
        mut proven: Proven,
        request: Option<RequestMark>,
        attempt: &mut Attempt,
    ) -> Result<SignInOutcome> {
        let keep = &self.resolve.rules_of(&proven.profile.identity.provider).keep_claims;
        let profile = proven.profile.visible(keep);
        let kept = profile.kept(keep);
        for attempted in 0..ATTEMPTS {
            let person = match self.resolve.resolve(&proven.profile, attempted > 0).await? {
                Ok(person) => person,
                Err(refusal) => return self.denials.denied(call, attempt, refusal).await,
            };
            attempt.user_id = person.known_user();
            let input = SignInInput {
                user: &person.user,
                account: &person.account,
                profile: &profile.claims,
                profile_omitted: &profile.omitted,
                app_data: &proven.app_data,
                is_new_user: person.is_new(),
                is_new_account: person.has_new_account(),
                origin: &call.origin,
            };
            match self.invoke.sign_in(&input).await? {
                SignInDecision::Allow => {}
                SignInDecision::Deny(denial) => {
                    let refusal = Refusal::new(denial, person.known_user());
                    return self.denials.denied(call, attempt, refusal).await;
                }
                SignInDecision::Redirect(url) => return self.denials.redirected(call, attempt, &url).await,
            }
            let redirect_to = self.invoke.redirect_of_sign_in(&proven.redirect_to).await?;
            let opened = self.open.open(call, &proven, request, person, &kept, redirect_to).await?;
            if let Some(mut allowed) = opened {
                allowed.provider_tokens = proven.tokens.take();
                return Ok(SignInOutcome::Allowed(Box::new(allowed)));
            }
        }
        Err(Error::Conflict)
    }
}
