//! Linking: a verified account is added to the signed-in user. It is a `SignIn` with a `link_access_token`; the user
//! keeps the current session. An account that the user already has is linked again by the same rules: its scopes are
//! updated.

use std::sync::Arc;

use super::attempt::Attempt;
use super::credential::proven::Proven;
use super::denial::{Denials, Refusal};
use super::outcome::{Allowed, SignInOutcome};
use super::person::rescoped;
use super::resolve_user::ResolveUser;
use super::signed_in::{LinkSessions, SignedIn};
use crate::auth::audit::Audit;
use crate::auth::callbacks::Invoke;
use crate::auth::callbacks::{SignInDecision, SignInInput};
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::retry::ATTEMPTS;
use crate::model::DenialReason;
use crate::model::{Account, AuthLogAction, AuthLogOutcome, Clock, LogNote, RedirectUrl, Timestamp, User};
use crate::storage::{Linked, UserStore, commands};

/// Links accounts.
pub struct LinkAccount {
    /// The store of the users.
    pub users: Arc<dyn UserStore>,
    /// Returns the reason why a session is over.
    pub link_sessions: Arc<LinkSessions>,
    /// Drafts accounts.
    pub resolve: Arc<ResolveUser>,
    /// The callbacks.
    pub invoke: Invoke,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// Answers denied sign-ins.
    pub denials: Arc<Denials>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl LinkAccount {
    /// Links the account of a verified person to the signed-in user.
    pub(super) async fn run(
        &self,
        call: &Call,
        proven: Proven,
        signed_in: SignedIn,
        attempt: &Attempt,
    ) -> Result<SignInOutcome> {
        let user = &signed_in.user;
        let profile = &proven.profile;
        let key = profile.identity.account_key();
        let visible = profile.visible(&self.resolve.rules_of(&profile.identity.provider).keep_claims);
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let (account, again) = match self.users.find_user_by_account(key).await? {
                Some((owner, account)) if owner.id == user.id => (rescoped(account, profile).0, true),
                Some(_) => {
                    let refusal = Refusal::by(DenialReason::AccountOwnedByOther, Some(user.id));
                    return self.denials.denied(call, attempt, refusal).await;
                }
                None => (self.resolve.new_account(user.id, profile, now), false),
            };
            let input = SignInInput {
                user,
                account: &account,
                profile: &visible.claims,
                profile_omitted: &visible.omitted,
                app_data: &proven.app_data,
                is_new_user: false,
                is_new_account: !again,
                origin: &call.origin,
            };
            match self.invoke.sign_in(&input).await? {
                SignInDecision::Allow => {}
                SignInDecision::Deny(denial) => {
                    return self.denials.denied(call, attempt, Refusal::new(denial, Some(user.id))).await;
                }
                SignInDecision::Redirect(url) => return self.denials.redirected(call, attempt, &url).await,
            }
            let redirect_to = self.invoke.redirect_of_sign_in(&proven.redirect_to).await?;
            let mut linking = self.linking(call, &proven, &signed_in, account.clone(), again, now);
            let claim = proven.claim.as_ref();
            linking.outcome = claim.map(|claim| claim.allowed(&account, false, None, &redirect_to));
            match self.users.link_account(linking).await? {
                Linked::Done => return Ok(linked(proven, signed_in.user, account, redirect_to)),
                Linked::Conflict => {}
                Linked::OutcomeKnown => return Err(Error::Conflict),
                Linked::Used => return Err(proven.used_before()),
                Linked::SessionOver => return Err(self.link_sessions.why_over(signed_in.session.id).await?),
            }
        }
        Err(Error::Conflict)
    }

    fn linking(
        &self,
        call: &Call,
        proven: &Proven,
        SignedIn { session, user }: &SignedIn,
        account: Account,
        again: bool,
        now: Timestamp,
    ) -> commands::LinkAccount {
        let mut log = self.audit.user_entry(AuthLogAction::AccountLinked, call, user);
        if again {
            log = log.ended(AuthLogOutcome::Success, LogNote::AlreadyLinked);
        }
        let log = log.of_session(session.id, account.provider.as_str());
        commands::LinkAccount {
            account,
            again,
            session_id: session.id,
            epoch: session.epoch,
            at: now,
            used: proven.used.clone(),
            outcome: None,
            log: self.audit.unless_excluded(log),
        }
    }
}

fn linked(proven: Proven, user: User, account: Account, redirect_to: RedirectUrl) -> SignInOutcome {
    SignInOutcome::Allowed(Box::new(Allowed {
        user,
        account,
        is_new_user: false,
        grant: None,
        redirect_to,
        provider_tokens: proven.tokens,
    }))
}
