//! Linking: a proven account becomes one more of the user who is signed in. `SignIn` with a `link_access_token`; the person
//! keeps the session they have. One that is theirs already is linked again, by the same rules: it takes over the scopes.

use super::ask;
use super::callbacks::{Denial, DenialReason, SignInDecision, SignInInput};
use super::caller::Call;
use super::denied::Attempt;
use super::error::{Error, Result};
use super::person::{Refusal, rescoped};
use super::prove::Proven;
use super::shared::Auth;
use super::sign_in::{Allowed, SignInOutcome};
use super::signed_in::SignedIn;
use crate::model::{Account, AccountKey, AuthLogAction, AuthLogOutcome, Email, RedirectUrl, User};
use crate::storage::{Linked, commands};

/// How often a linking that met another writer looks again.
const ATTEMPTS: u32 = 3;

impl Auth {
    /// Links the account of a proven person to the user who is signed in.
    pub(super) async fn link(
        &self,
        call: &Call,
        proven: Proven,
        signed_in: SignedIn,
        attempt: &Attempt,
    ) -> Result<SignInOutcome> {
        let SignedIn { session, user } = signed_in;
        let profile = &proven.profile;
        let key = AccountKey::new(&profile.issuer, &profile.provider, &profile.provider_account_id);
        let refusal = |denial| Refusal { denial, linked_providers: Vec::new(), user_id: Some(user.id) };
        let claims = profile.to_claims();
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let (account, again) = match self.parts.users.find_user_by_account(key).await? {
                Some((owner, account)) if owner.id == user.id => (rescoped(account, profile).0, true),
                Some(_) => {
                    let denial = Denial { reason: DenialReason::AccountOwnedByOther, detail: None };
                    return self.denied(call, attempt, refusal(denial)).await;
                }
                None => (self.new_account(user.id, profile, now), false),
            };
            let input = SignInInput {
                user: &user,
                account: &account,
                profile: &claims,
                is_new_user: false,
                is_new_account: !again,
                origin: &call.origin,
            };
            match ask::sign_in(&*self.parts.callbacks, &input).await? {
                SignInDecision::Allow => {}
                SignInDecision::Deny(denial) => return self.denied(call, attempt, refusal(denial)).await,
                SignInDecision::Redirect(url) => return self.redirected(call, attempt, &url).await,
            }
            let redirect_to = self.redirect_to(&proven.redirect_to).await?;
            let email = user.email.as_ref().map(Email::as_str);
            let mut log = self.log_entry(AuthLogAction::AccountLinked, &call.origin).of_user(user.id, email);
            if again {
                log = log.ended(AuthLogOutcome::Success, "ALREADY_LINKED");
            }
            let linking = commands::LinkAccount {
                account: account.clone(),
                again,
                session_id: session.id,
                epoch: session.epoch,
                at: now,
                used: proven.used.clone(),
                log: self.unless_excluded(log.of_session(session.id, account.provider.as_str())),
            };
            match self.parts.users.link_account(linking).await? {
                Linked::Done => return Ok(linked(proven, user, account, redirect_to)),
                Linked::Conflict => {}
                Linked::Used => return Err(proven.used_before()),
                Linked::SessionOver => return Err(self.why_over(session.id).await?),
            }
        }
        Err(Error::Conflict)
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
