//! A question to a callback that outlives the call it comes from.

use super::difference::Difference;
use crate::auth::{
    Ask, CallbackResult, JwtInput, Question, RedirectInput, SessionInput, SessionView, SignInInput, Trigger,
};
use crate::model::{Account, ClaimMap, Origin, SessionId, User};

/// A question with an owned input.
pub(super) enum OwnedQuestion {
    SignIn(Box<SignIn>),
    Jwt(Box<Jwt>),
    Session(Box<SessionView>, ClaimMap),
    Redirect { url: String, base_url: String },
}

pub(super) struct SignIn {
    user: User,
    account: Account,
    profile: ClaimMap,
    profile_omitted: Vec<String>,
    app_data: ClaimMap,
    is_new_user: bool,
    is_new_account: bool,
    origin: Origin,
}

pub(super) struct Jwt {
    trigger: Trigger,
    user: User,
    account: Option<Account>,
    profile: Option<ClaimMap>,
    profile_omitted: Vec<String>,
    app_data: Option<ClaimMap>,
    session_id: SessionId,
    claims: ClaimMap,
    update: ClaimMap,
    origin: Origin,
}

impl OwnedQuestion {
    /// Copies the input of a question.
    pub(super) fn of(question: Question<'_>) -> Self {
        match question {
            Question::SignIn(input) => Self::SignIn(Box::new(SignIn {
                user: input.user.clone(),
                account: input.account.clone(),
                profile: input.profile.clone(),
                profile_omitted: input.profile_omitted.to_vec(),
                app_data: input.app_data.clone(),
                is_new_user: input.is_new_user,
                is_new_account: input.is_new_account,
                origin: input.origin.clone(),
            })),
            Question::Jwt(input) => Self::Jwt(Box::new(Jwt {
                trigger: input.trigger,
                user: input.user.clone(),
                account: input.account.cloned(),
                profile: input.profile.cloned(),
                profile_omitted: input.profile_omitted.to_vec(),
                app_data: input.app_data.cloned(),
                session_id: input.session_id,
                claims: input.claims.clone(),
                update: input.update.clone(),
                origin: input.origin.clone(),
            })),
            Question::Session(input) => Self::Session(Box::new(input.session.clone()), input.claims.clone()),
            Question::Redirect(input) => {
                Self::Redirect { url: input.url.to_owned(), base_url: input.base_url.to_owned() }
            }
        }
    }

    /// Calls callbacks, and returns the difference that their answer would make.
    pub(super) async fn ask(&self, callbacks: &dyn Ask) -> CallbackResult<Difference> {
        match self {
            Self::SignIn(asked) => {
                let input = SignInInput {
                    user: &asked.user,
                    account: &asked.account,
                    profile: &asked.profile,
                    profile_omitted: &asked.profile_omitted,
                    app_data: &asked.app_data,
                    is_new_user: asked.is_new_user,
                    is_new_account: asked.is_new_account,
                    origin: &asked.origin,
                };
                difference(callbacks, Question::SignIn(&input)).await
            }
            Self::Jwt(asked) => {
                let input = JwtInput {
                    trigger: asked.trigger,
                    user: &asked.user,
                    account: asked.account.as_ref(),
                    profile: asked.profile.as_ref(),
                    profile_omitted: &asked.profile_omitted,
                    app_data: asked.app_data.as_ref(),
                    session_id: asked.session_id,
                    claims: &asked.claims,
                    update: &asked.update,
                    origin: &asked.origin,
                };
                difference(callbacks, Question::Jwt(&input)).await
            }
            Self::Session(session, claims) => {
                difference(callbacks, Question::Session(&SessionInput { session, claims })).await
            }
            Self::Redirect { url, base_url } => {
                difference(callbacks, Question::Redirect(&RedirectInput { url, base_url })).await
            }
        }
    }
}

async fn difference(callbacks: &dyn Ask, question: Question<'_>) -> CallbackResult<Difference> {
    Difference::of(question, callbacks.ask(question).await?)
}
