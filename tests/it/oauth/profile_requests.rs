//! The settings for providers that deviate: the form of the requests for a profile, the endpoint of e-mail addresses,
//! PKCE, and token responses with a list of scopes or without a type.

use super::*;
use crate::support::provider::{Endpoint, Fault, Seen};
use gatepass::oauth::userinfo_header;
use serde_json::json;

fn by_post(settings: Settings) -> Settings {
    let header = userinfo_header("Notion-Version", "2022-06-28").unwrap();
    Settings {
        userinfo_request: UserinfoRequest { method: UserinfoMethod::Post, headers: vec![header] },
        ..settings
    }
}

fn with_emails(at: &TestProvider) -> Settings {
    Settings { emails_url: Some(url(at, "/user/emails")), ..oauth2(at) }
}

fn without_pkce(settings: Settings) -> Settings {
    Settings { pkce: false, ..settings }
}

fn assert_posted(seen: &Seen) {
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.headers["notion-version"], "2022-06-28");
    assert_eq!(seen.headers["accept"], "application/json");
    assert!(seen.headers["authorization"].to_str().unwrap().starts_with("Bearer access-token"));
    assert!(seen.form.is_empty() && !seen.headers.contains_key("content-type"));
}

#[tokio::test]
async fn a_profile_is_asked_for_as_the_settings_say() {
    let at = TestProvider::start().await;
    let openid = Settings {
        kind: ProviderKind::Oidc {
            issuer: at.issuer(),
            discovery_url: None,
            jwks_url: None,
            userinfo: Userinfo::Always,
        },
        ..oidc(&at)
    };
    for (settings, kind) in [(oauth2(&at), "oauth2"), (openid, "oidc")] {
        connect(settings.clone(), &at).sign_in(&at, Person::named("ada")).await.unwrap();
        assert_eq!(at.seen(Endpoint::Userinfo).pop().unwrap().method, "GET", "{kind}");
        let proof = connect(by_post(settings), &at).sign_in(&at, Person::named("ada")).await.unwrap();
        assert_eq!(proof.profile.identity.provider_account_id.as_str(), "ada", "{kind}");
        assert_posted(&at.seen(Endpoint::Userinfo).pop().unwrap());
    }
}

#[tokio::test]
async fn addresses_of_their_own_endpoint_are_a_part_of_the_profile() {
    let at = TestProvider::start().await;
    let floor = connect(by_post(with_emails(&at)), &at);
    let person = || Person::named("ada").with_email("ada@example.com", false);
    let emails = floor.sign_in(&at, person()).await.unwrap().profile.raw["emails"].clone();
    assert_eq!(emails[1]["email"], "ada@example.com");
    assert_posted(&at.seen(Endpoint::Emails).pop().unwrap());
    at.fails_at(Endpoint::Emails, Fault::Body(r#" {"values": [{"email": "ada@example.com"}]}"#));
    let emails = floor.sign_in(&at, person()).await.unwrap().profile.raw["emails"].clone();
    assert_eq!(emails, json!({"values": [{"email": "ada@example.com"}]}));
}

#[tokio::test]
async fn without_the_answer_about_addresses_nobody_is_proven() {
    let at = TestProvider::start().await;
    let floor = connect(with_emails(&at), &at);
    for (fault, wanted) in [
        (Fault::Status(403), FaultKind::Status),
        (Fault::Status(404), FaultKind::Status),
        (Fault::Status(503), FaultKind::Status),
        (Fault::Body("7"), FaultKind::Malformed),
        (Fault::Body("[1"), FaultKind::Malformed),
        (Fault::Body(""), FaultKind::Malformed),
    ] {
        at.fails_at(Endpoint::Emails, fault.clone());
        assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), wanted, "{fault:?}");
    }
}

#[tokio::test]
async fn pkce_is_left_out_only_where_the_settings_say_so() {
    let at = TestProvider::start().await;
    at.refuses_pkce();
    let proof = connect(without_pkce(oauth2(&at)), &at).sign_in(&at, Person::named("ada")).await.unwrap();
    assert_eq!(proof.profile.identity.provider_account_id.as_str(), "ada");
    let token = at.seen(Endpoint::Token).pop().unwrap();
    assert!(!token.form.contains_key("code_verifier"), "{:?}", token.form);

    let strict = TestProvider::start().await;
    let page = connect(without_pkce(oauth2(&strict)), &strict).begin().await.unwrap();
    assert!(!page.contains("code_challenge"), "{page}");
    let answer =
        strict.log_in(&connect(oauth2(&strict), &strict).begin().await.unwrap(), Person::named("ada"));
    let outcome = connect(without_pkce(oauth2(&strict)), &strict).redeem(&answer.code).await;
    assert_eq!(kind(outcome), FaultKind::CodeRejected);
}

#[tokio::test]
async fn a_token_response_may_list_its_scopes_and_omit_its_type() {
    let at = TestProvider::start().await;
    at.edits_token_response(|answer| {
        answer.insert("scope".into(), json!(["openid", "user:read:email"]));
        answer.remove("token_type");
    });
    for settings in [oauth2(&at), oidc(&at)] {
        let proof = connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap();
        assert_eq!(proof.profile.identity.scope.as_deref(), Some("openid user:read:email"));
        assert_eq!(proof.tokens.unwrap().token_type, "Bearer");
    }
}
