//! A question to a callback that outlives the call it comes from, and what would be otherwise with its answer.

use super::difference::{Difference, of_claims, of_jwt, of_redirect, of_sign_in};
use crate::auth::{
    CallbackResult, Callbacks, JwtInput, RedirectInput, SessionInput, SessionView, SignInInput, Trigger,
};
use crate::model::{Account, ClaimMap, Origin, SessionId, User};

/// What is asked.
pub(super) enum Question {
    SignIn(Box<SignIn>),
    Jwt(Box<Jwt>),
    Session(Box<SessionView>, ClaimMap),
    Redirect { url: String, base_url: String },
}

pub(super) struct SignIn {
    user: User,
    account: Account,
    profile: ClaimMap,
    is_new_user: bool,
    is_new_account: bool,
    origin: Origin,
}

pub(super) struct Jwt {
    trigger: Trigger,
    user: User,
    account: Option<Account>,
    profile: Option<ClaimMap>,
    session_id: SessionId,
    claims: ClaimMap,
    update: ClaimMap,
    origin: Origin,
}

impl Question {
    pub(super) fn sign_in(input: &SignInInput<'_>) -> Self {
        Self::SignIn(Box::new(SignIn {
            user: input.user.clone(),
            account: input.account.clone(),
            profile: input.profile.clone(),
            is_new_user: input.is_new_user,
            is_new_account: input.is_new_account,
            origin: input.origin.clone(),
        }))
    }

    pub(super) fn jwt(input: &JwtInput<'_>) -> Self {
        Self::Jwt(Box::new(Jwt {
            trigger: input.trigger,
            user: input.user.clone(),
            account: input.account.cloned(),
            profile: input.profile.cloned(),
            session_id: input.session_id,
            claims: input.claims.clone(),
            update: input.update.clone(),
            origin: input.origin.clone(),
        }))
    }

    pub(super) fn session(input: &SessionInput<'_>) -> Self {
        Self::Session(Box::new(input.session.clone()), input.claims.clone())
    }

    pub(super) fn redirect(input: &RedirectInput<'_>) -> Self {
        Self::Redirect { url: input.url.to_owned(), base_url: input.base_url.to_owned() }
    }

    /// What would be otherwise with the answer.
    pub(super) async fn ask(self, callbacks: &dyn Callbacks) -> CallbackResult<Difference> {
        Ok(match self {
            Self::SignIn(asked) => {
                let SignIn { user, account, profile, is_new_user, is_new_account, origin } = &*asked;
                let (is_new_user, is_new_account) = (*is_new_user, *is_new_account);
                let input = SignInInput { user, account, profile, is_new_user, is_new_account, origin };
                of_sign_in(&callbacks.sign_in(&input).await?)
            }
            Self::Jwt(asked) => {
                let Jwt { trigger, user, account, profile, session_id, claims, update, origin } = &*asked;
                let input = JwtInput {
                    trigger: *trigger,
                    user,
                    account: account.as_ref(),
                    profile: profile.as_ref(),
                    session_id: *session_id,
                    claims,
                    update,
                    origin,
                };
                of_jwt(claims, &callbacks.jwt(&input).await?)
            }
            Self::Session(session, claims) => {
                let input = SessionInput { session: &session, claims: &claims };
                of_claims(&claims, &callbacks.session(&input).await?)
            }
            Self::Redirect { url, base_url } => {
                let input = RedirectInput { url: &url, base_url: &base_url };
                of_redirect(&url, callbacks.redirect(&input).await?.as_deref())
            }
        })
    }
}
