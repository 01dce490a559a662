//! The outcomes of cases: the chain is called as the use cases call it, and its answer becomes JSON.

use std::sync::Arc;

use serde_json::{Value, json};

use super::case::Case;
use super::input::{Asked, Input, OfJwt, OfRedirect, OfSession, OfSignIn};
use super::written::When;
use crate::auth::{Denial, Error, Invoke, JwtInput, SignInDecision, SignInInput, Trigger};
use crate::model::{ClaimMap, ManualClock, Timestamp, claims};

/// The callbacks of a configuration, and the rules that they are called by.
pub struct Bench {
    /// The callbacks, and the base URLs that redirects may go to.
    pub invoke: Invoke,
    /// Their clock.
    pub clock: Arc<ManualClock>,
    /// The time of a case that sets none.
    pub now: Timestamp,
    /// The role of new users.
    pub default_role: String,
    /// Claims that a client may change by `update`.
    pub update_allow: Vec<String>,
}

/// An outcome, or a fault of the case.
type Outcome = Result<Value, String>;

impl Bench {
    /// Runs a case; a failure of the callbacks is an outcome, too.
    pub async fn ask(&self, case: &Case) -> Outcome {
        match &case.input {
            Input::SignIn(input) => self.sign_in(input).await,
            Input::Jwt(input) => self.jwt(input).await,
            Input::Session(input) => self.session(input).await,
            Input::Redirect(input) => self.redirect(input).await,
        }
    }

    async fn sign_in(&self, input: &OfSignIn) -> Outcome {
        let now = self.at(input.now);
        let asked = input.asked(now, &self.default_role)?;
        let profile = whole(input.profile.clone(), &asked);
        let question = SignInInput {
            user: &asked.user,
            account: &asked.account,
            profile: &profile,
            profile_omitted: &input.profile_omitted,
            app_data: &input.app_data,
            is_new_user: input.is_new_user,
            is_new_account: input.is_new_user,
            origin: &asked.origin,
        };
        Ok(match self.invoke.sign_in(&question).await {
            Ok(SignInDecision::Allow) => json!({"allow": true}),
            Ok(SignInDecision::Deny(Denial { reason, detail })) => denied(reason.name(), detail),
            Ok(SignInDecision::Redirect(url)) => {
                let base = self.invoke.base_urls.default_base();
                let sent = self.invoke.redirect(base, &url).await;
                sent.map_or_else(failed, |(url, _)| json!({"redirect": url.as_str()}))
            }
            Err(error) => failed(error),
        })
    }

    async fn jwt(&self, input: &OfJwt) -> Outcome {
        let now = self.at(input.now);
        let asked = input.asked(now, &self.default_role)?;
        let trigger = input.trigger()?;
        let mut update = input.update.clone();
        update.retain(|name, _| self.update_allow.contains(name));
        if let Err(fault) = self.invoke.claims.types.check_update(&update) {
            return Ok(json!({"error": format!("update: {fault}")}));
        }
        let mut before = input.token.clone();
        claims::merge(&mut before, update.clone());
        let first = trigger != Trigger::Update;
        let profile = whole(input.profile.clone().unwrap_or_default(), &asked);
        let question = JwtInput {
            trigger,
            user: &asked.user,
            account: first.then_some(&asked.account),
            profile: first.then_some(&profile),
            profile_omitted: &input.profile_omitted,
            app_data: first.then_some(&input.app_data),
            session_id: input.session_id(now)?,
            origin: &asked.origin,
            claims: &before,
            update: &update,
        };
        let answer = self.invoke.jwt(&question).await;
        Ok(answer.map_or_else(failed, |claims| json!({"claims": claims})))
    }

    async fn session(&self, input: &OfSession) -> Outcome {
        let mut session = input.asked(self.at(input.now))?;
        let answer = self.invoke.session(&mut session).await;
        Ok(answer.map_or_else(failed, |()| json!({"claims": *session.claims})))
    }

    async fn redirect(&self, input: &OfRedirect) -> Outcome {
        self.at(input.now);
        let base = self.invoke.base_urls.select(&input.base_url);
        let base = base.ok_or("input.base_url: must be one of the configured base_urls, or empty")?;
        let answer = self.invoke.redirect(&base, &input.url).await;
        Ok(answer.map_or_else(failed, |(url, _)| json!({"url": url.as_str()})))
    }

    /// Sets the clock to the time of the case, and returns it.
    fn at(&self, when: When) -> Timestamp {
        let now = when.or(self.now);
        self.clock.set(now);
        now
    }
}

/// Completes a profile with the claims that every profile has.
fn whole(mut profile: ClaimMap, asked: &Asked) -> ClaimMap {
    profile.entry("sub").or_insert_with(|| asked.account.provider_account_id.as_str().into());
    profile.entry("email_verified").or_insert(Value::Bool(false));
    profile
}

fn denied(reason: &str, detail: Option<String>) -> Value {
    match detail {
        Some(detail) => json!({"deny": reason, "detail": detail}),
        None => json!({"deny": reason}),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other error comes from callbacks")]
fn failed(error: Error) -> Value {
    match error {
        Error::CallbackUnavailable(failure) => json!({"error": failure.cause}),
        Error::CallbackDenied(detail) => denied("CALLBACK_DENIED", detail),
        Error::ClaimsTooLarge(limit) => json!({"error": format!("the claims exceed {limit} bytes")}),
        other => json!({"error": format!("{other:?}")}),
    }
}
