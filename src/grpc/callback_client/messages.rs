//! Questions as messages, and answers, which are validated as untrusted input.

use crate::auth::{
    Callback, CallbackResult, Denial, JwtDecision, JwtInput, RedirectInput, SessionInput, SignInDecision,
    SignInInput, Trigger,
};
use crate::grpc::convert::{read_struct, write_account, write_session, write_struct, write_user};
use crate::grpc::proto::callback::v1::{self, jwt_response, sign_in_response};
use crate::grpc::proto::v1 as gatepass;
use crate::model::{ClaimMap, DenialReason, Origin, Timestamp, claims};

/// The maximum size of a reason, in bytes.
const MAX_REASON: usize = 256;

/// The maximum size of the claims that `session` may add, in bytes.
const MAX_SESSION_CLAIMS: usize = 8 * 1024;

pub(super) fn sign_in(input: &SignInInput<'_>, now: Timestamp) -> v1::SignInRequest {
    let mut user = write_user(input.user.clone(), now);
    let mut account = write_account(input.account.clone());
    // A new user has no final id: another attempt would generate another.
    if input.is_new_user {
        user.id.clear();
    }
    if input.is_new_account {
        account.id.clear();
    }
    v1::SignInRequest {
        user: Some(user),
        account: Some(account),
        profile: Some(write_struct(input.profile)),
        client: client(input.origin),
        is_new_user: input.is_new_user,
        profile_omitted: input.profile_omitted.to_vec(),
        app_data: app_data(Some(input.app_data)),
    }
}

fn app_data(data: Option<&ClaimMap>) -> Option<prost_types::Struct> {
    data.filter(|data| !data.is_empty()).map(write_struct)
}

fn client(origin: &Origin) -> Option<gatepass::Client> {
    let (ip_address, user_agent) = (origin.ip_address.clone(), origin.user_agent.clone());
    (ip_address.is_some() || user_agent.is_some()).then_some(gatepass::Client { ip_address, user_agent })
}

pub(super) fn sign_in_decision(answer: v1::SignInResponse) -> CallbackResult<SignInDecision> {
    match answer.outcome {
        Some(sign_in_response::Outcome::Allow(v1::Allow {})) => Ok(SignInDecision::Allow),
        Some(sign_in_response::Outcome::Deny(deny)) => {
            Ok(SignInDecision::Deny(Denial { reason: DenialReason::CallbackDenied, detail: reason(&deny) }))
        }
        Some(sign_in_response::Outcome::Redirect(redirect)) if redirect.url.is_empty() => {
            Err(Callback::SignIn.failed("it returned a redirect without a url"))
        }
        Some(sign_in_response::Outcome::Redirect(redirect)) => Ok(SignInDecision::Redirect(redirect.url)),
        None => Err(Callback::SignIn.failed("it returned no outcome")),
    }
}

pub(super) fn jwt(input: &JwtInput<'_>, now: Timestamp) -> v1::JwtRequest {
    let trigger = match input.trigger {
        Trigger::SignIn => gatepass::Trigger::SignIn,
        Trigger::SignUp => gatepass::Trigger::SignUp,
        Trigger::Update => gatepass::Trigger::Update,
    };
    v1::JwtRequest {
        trigger: trigger.into(),
        user: Some(write_user(input.user.clone(), now)),
        account: input.account.cloned().map(write_account),
        profile: input.profile.map(write_struct),
        session_id: input.session_id.to_string(),
        claims: Some(write_struct(input.claims)),
        update: (input.trigger == Trigger::Update).then(|| write_struct(input.update)),
        client: client(input.origin),
        profile_omitted: input.profile_omitted.to_vec(),
        app_data: app_data(input.app_data),
    }
}

pub(super) fn jwt_decision(answer: v1::JwtResponse) -> CallbackResult<JwtDecision> {
    match answer.outcome {
        Some(jwt_response::Outcome::Claims(additions)) => {
            additions_of(Callback::Jwt, Some(additions)).map(JwtDecision::Claims)
        }
        Some(jwt_response::Outcome::Deny(deny)) => Ok(JwtDecision::Deny(reason(&deny))),
        None => Err(Callback::Jwt.failed("it returned no outcome")),
    }
}

pub(super) fn session(input: &SessionInput<'_>) -> v1::SessionRequest {
    let session = write_session(input.session.clone());
    let user = session.user.clone().and_then(|user| {
        Some(gatepass::User {
            id: user.id?,
            email: user.email,
            email_verified: user.email_verified,
            name: user.name,
            image: user.image,
            role: user.role.unwrap_or_default(),
            ..Default::default()
        })
    });
    v1::SessionRequest { session: Some(session), user, claims: Some(write_struct(input.claims)) }
}

pub(super) fn session_claims(answer: v1::SessionResponse) -> CallbackResult<ClaimMap> {
    let additions = additions_of(Callback::Session, answer.claims)?;
    claims::check_size(&additions, MAX_SESSION_CLAIMS)
        .map_err(|fault| Callback::Session.failed(fault.to_string()))?;
    Ok(additions)
}

pub(super) fn redirect(input: &RedirectInput<'_>) -> v1::RedirectRequest {
    v1::RedirectRequest { url: input.url.to_owned(), base_url: input.base_url.to_owned() }
}

pub(super) fn redirect_url(answer: v1::RedirectResponse) -> CallbackResult<Option<String>> {
    if answer.url.is_empty() {
        return Err(Callback::Redirect.failed("it returned no url"));
    }
    Ok(Some(answer.url))
}

/// Reads claims to merge, and validates their names and values.
fn additions_of(callback: Callback, answer: Option<prost_types::Struct>) -> CallbackResult<ClaimMap> {
    let Some(answer) = answer else { return Ok(ClaimMap::new()) };
    let additions =
        read_struct(answer).ok_or_else(|| callback.failed("a claim holds a number that is not finite"))?;
    claims::check_additions(&additions).map_err(|fault| callback.failed(fault.to_string()))?;
    Ok(additions)
}

/// Returns the reason of a denial, shortened and on one line; `None` if it is empty.
fn reason(deny: &v1::Deny) -> Option<String> {
    let text: String = deny.reason.chars().filter(|c| !c.is_control()).collect();
    let text = text.trim();
    let end = text.floor_char_boundary(MAX_REASON);
    (end > 0).then(|| text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;
    use prost_types::{Struct, Value};
    use serde_json::json;

    use super::*;

    fn deny(reason: &str) -> v1::Deny {
        v1::Deny { reason: reason.to_owned() }
    }

    #[test]
    fn a_reason_is_short_and_on_one_line() {
        for (given, kept) in [
            ("", None),
            ("not on the list", Some("not on the list")),
            (" a\r\nb\u{7}\0 ", Some("ab")),
            ("\n", None),
        ] {
            assert_eq!(reason(&deny(given)).as_deref(), kept, "{given:?}");
        }
        let long = reason(&deny(&"é".repeat(1000))).unwrap();
        assert_eq!((long.len(), long.chars().all(|c| c == 'é')), (MAX_REASON, true));
    }

    #[test]
    fn an_outcome_that_is_not_there_is_a_failure() {
        assert!(sign_in_decision(v1::SignInResponse { outcome: None }).is_err());
        assert!(jwt_decision(v1::JwtResponse { outcome: None }).is_err());
        assert!(redirect_url(v1::RedirectResponse::default()).is_err());
        let nowhere = sign_in_response::Outcome::Redirect(v1::Redirect::default());
        assert!(sign_in_decision(v1::SignInResponse { outcome: Some(nowhere) }).is_err());
        assert_eq!(session_claims(v1::SessionResponse { claims: None }), Ok(ClaimMap::new()));
    }

    #[test]
    fn claims_that_may_not_be_are_a_failure() {
        let number = |number| Value { kind: Some(Kind::NumberValue(number)) };
        let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
        for (what, claims) in [
            ("reserved", write_struct(json!({"sub": "somebody"}).as_object().unwrap())),
            ("ours", write_struct(json!({"role": "admin"}).as_object().unwrap())),
            ("no name", write_struct(json!({"": 1}).as_object().unwrap())),
            ("deep", write_struct(&ClaimMap::from_iter([("a".to_owned(), deep)]))),
            ("not finite", Struct { fields: [("a".to_owned(), number(f64::NAN))].into() }),
            ("too large a number", Struct { fields: [("a".to_owned(), number(1e300))].into() }),
        ] {
            let outcome = Some(jwt_response::Outcome::Claims(claims.clone()));
            assert!(jwt_decision(v1::JwtResponse { outcome }).is_err(), "{what}");
            assert!(session_claims(v1::SessionResponse { claims: Some(claims) }).is_err(), "{what}");
        }
        let large = write_struct(json!({"a": "x".repeat(MAX_SESSION_CLAIMS)}).as_object().unwrap());
        assert!(session_claims(v1::SessionResponse { claims: Some(large) }).is_err());
    }
}
