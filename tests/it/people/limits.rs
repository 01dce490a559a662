//! Limits that hold together: whoever may sign in gets a token and refreshes, whatever a provider tells.

use gatepass::app::App;
use gatepass::auth::SignInDecision;
use gatepass::grpc::proto::v1::ProfileCredential;
use serde_json::json;

use crate::support::hooks::{on_jwt, on_sign_in};
use crate::support::jwt::decode;
use crate::support::provider::{Person, TestProvider};
use crate::support::signing_in::{entry, with_providers};
use crate::support::{KEYS, TestApp, allowed, app, builder, credential};

const MOST: usize = 4096;

/// A person whose name and picture are as long as they may be.
fn longest() -> ProfileCredential {
    ProfileCredential {
        provider: "p".repeat(64),
        provider_account_id: "x".repeat(255),
        email: Some(format!("{}@{}.example", "e".repeat(64), "d".repeat(60))),
        email_verified: true,
        name: Some("\"".repeat(512)),
        image: Some(format!("https://a.example/{}", "i".repeat(2030))),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_longest_profile_gets_tokens_of_every_algorithm() {
    for (key, algorithm) in
        [("es256", "ES256"), ("es384", "ES384"), ("eddsa", "EdDSA"), ("rsa", "RS256"), ("rsa", "PS256")]
    {
        let issuer = format!("http://localhost/{}", "i".repeat(200));
        let audiences: Vec<_> = (0..5).map(|number| format!("'{number}{}'", "a".repeat(200))).collect();
        let config = format!(
            "issuer: '{issuer}'\n\
             tokens: {{algorithm: {algorithm}, signing_keys: [{{file: '{KEYS}/{key}.pem', algorithm: {algorithm}}}], audiences: [{}]}}",
            audiences.join(", ")
        );
        let app = builder().config(&config).start().await;
        let signed_in = allowed(app.try_sign_in(credential(longest())).await);
        let first = app.issue(&signed_in.grant.unwrap()).await.unwrap();
        let refreshed = app.refresh(&first.refresh_token).await.unwrap();
        for token in [first.access_token, refreshed.access_token] {
            assert!(token.len() <= MOST && token.len() > MOST - 200, "{algorithm}: {}", token.len());
            let claims = decode(&token).1;
            assert_eq!(claims.get("picture"), None);
            assert!(claims["name"].as_str().is_some_and(|name| name.starts_with('"')), "{claims}");
            let read = app.session(&token).await.unwrap().session.unwrap().user.unwrap();
            assert_eq!(read.name.as_deref(), claims["name"].as_str());
        }
    }
}

#[tokio::test]
async fn a_picture_is_left_out_only_if_it_must_be() {
    let app = app().await;
    let profile = ProfileCredential { name: Some("Ada".to_owned()), ..longest() };
    let fits = ProfileCredential { image: Some("https://a.example/a.png".to_owned()), ..profile.clone() };
    let grant = allowed(app.try_sign_in(credential(fits)).await).grant.unwrap();
    let claims = decode(&app.issue(&grant).await.unwrap().access_token).1;
    assert_eq!((&claims["name"], &claims["picture"]), (&json!("Ada"), &json!("https://a.example/a.png")));
    // The user keeps what the token has no room for.
    let signed_in = allowed(app.try_sign_in(credential(longest())).await);
    assert!(signed_in.user.unwrap().image.is_some_and(|image| image.len() == 2048));
}

#[tokio::test]
async fn an_id_token_of_many_groups_signs_in() {
    let provider = TestProvider::start().await;
    let hooks = on_sign_in(|input| {
        assert_eq!(input.profile["groups"].as_array().map(Vec::len), Some(1500));
        Ok(SignInDecision::Allow)
    });
    let hooks = hooks.and(on_jwt(|input| {
        let kept = input.profile.expect("a profile").contains_key("groups");
        Ok(crate::support::hooks::claims(json!({"kept": kept, "omitted": input.profile_omitted})))
    }));
    let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
    let groups: Vec<_> = (0..1500).map(|number| format!("a group of the company, number {number}")).collect();
    let signed_in = app.sign_in_at(&provider, Person::named("ada").with("groups", json!(groups))).await;
    let claims = decode(&app.issue(&signed_in.grant.unwrap()).await.unwrap().access_token).1;
    assert_eq!((&claims["kept"], &claims["omitted"]), (&json!(false), &json!(["groups"])));
}

#[tokio::test]
async fn the_claims_to_keep_go_last() {
    let provider = TestProvider::start().await;
    let hooks = on_jwt(|input| {
        let kept = input.profile.expect("a profile").contains_key("groups");
        Ok(crate::support::hooks::claims(json!({"kept": kept, "omitted": input.profile_omitted})))
    });
    let more = "userinfo: always, keep_claims: [groups]";
    let app = with_providers(&[entry("corp", &provider, more)]).callbacks(hooks).start().await;
    provider.edits_userinfo(|claims| {
        claims.insert("groups".to_owned(), json!("g".repeat(20_000)));
        claims.insert("roles".to_owned(), json!("r".repeat(15_000)));
    });
    let signed_in = app.sign_in_at(&provider, Person::named("ada")).await;
    let claims = decode(&app.issue(&signed_in.grant.unwrap()).await.unwrap().access_token).1;
    assert_eq!((&claims["kept"], &claims["omitted"]), (&json!(true), &json!(["roles"])));
}

/// Returns the faults of a configuration with these audiences.
fn faults(app: &TestApp, more: &str, count: usize, length: usize) -> Vec<String> {
    let audiences: Vec<_> = (0..count).map(|n| format!("'{n:02}{}'", "a".repeat(length - 2))).collect();
    let tokens = format!("{more}\ntokens: {{audiences: [{}]}}\n", audiences.join(", "));
    let prepared = App::new(app.config(|yaml| yaml + &tokens)).prepare();
    prepared.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn an_issuer_and_audiences_that_could_not_fit_are_refused() {
    let app = app().await;
    let told = "tokens.audiences: an access token with the issuer and all audiences could exceed 4096 bytes";
    for (more, count, length, fits) in [
        ("", 5, 255, true),
        ("", 32, 20, true),
        ("", 32, 255, false),
        ("", 9, 255, false),
        ("session: {strategy: database}", 9, 255, true),
        ("session: {strategy: database}", 32, 255, false),
        ("issuer: 'http://localhost/long'", 5, 255, true),
    ] {
        let faults = faults(&app, more, count, length);
        assert_eq!(faults.is_empty(), fits, "{more} {count} {length}: {faults:?}");
        assert!(faults.iter().all(|fault| fault.starts_with(told)), "{faults:?}");
    }
}
