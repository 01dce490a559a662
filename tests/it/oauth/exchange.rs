//! Authorization codes, and the client authentication at the token endpoint.

use super::*;
use crate::support::jwt::decode;
use crate::support::provider::{Endpoint, Fault};
use crate::support::{KEYS, START};
use gatepass::model::AccountKind;
use secrecy::ExposeSecret;

#[tokio::test]
async fn a_person_is_proven_by_a_code_at_a_provider_of_each_kind() {
    let at = TestProvider::start().await;
    for (settings, account_kind) in
        [(oidc(&at), AccountKind::Oidc), (oauth2(&at), AccountKind::OAuth), (github(&at), AccountKind::OAuth)]
    {
        let is_github = matches!(settings.kind, ProviderKind::GitHub { .. });
        let floor = connect(settings, &at);
        let person = Person::named("ada");
        let id = if is_github { person.number.to_string() } else { "ada".to_owned() };
        let proof = floor.sign_in(&at, person).await.unwrap();
        let profile = &proof.profile;
        assert_eq!(
            (profile.identity.provider_account_id.as_str(), profile.identity.kind),
            (id.as_str(), account_kind)
        );
        assert_eq!(profile.verified_email().map(gatepass::model::Email::as_str), Some("ada@example.com"));
        assert_eq!((profile.identity.issuer.clone(), profile.name.as_deref()), (at.issuer(), Some("ada")));
        assert_eq!(proof.id_token.is_some(), account_kind == AccountKind::Oidc);
        let tokens = proof.tokens.unwrap();
        assert!(tokens.access_token.expose_secret().starts_with("access-token-"));
        let scope = if is_github { "read:user user:email" } else { "openid email profile" };
        assert_eq!((tokens.scope.as_deref(), profile.identity.scope.as_deref()), (Some(scope), Some(scope)));
    }
}

#[tokio::test]
async fn a_code_counts_once_and_for_its_flow_only() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    let page = floor.begin().await.unwrap();
    let code = || at.log_in(&page, Person::named("ada")).code;
    let used = code();
    floor.redeem(&used).await.unwrap();
    for (code, nonce, verifier, wanted) in [
        (used, NONCE, VERIFIER, FaultKind::CodeRejected),
        ("no code".to_owned(), NONCE, VERIFIER, FaultKind::CodeRejected),
        (code(), NONCE, &VERIFIER.to_lowercase(), FaultKind::CodeRejected),
        (code(), "another nonce", VERIFIER, FaultKind::IdTokenNonce),
    ] {
        let fault = floor.redeem_with(&code, nonce, verifier, None, soon()).await.unwrap_err();
        assert_eq!(fault.kind, wanted);
        assert!(!fault.to_string().contains(&code), "{fault}");
    }
    // GitHub reports this in its own format, with status 200.
    let floor = connect(github(&at), &at);
    let fault = floor.redeem("no code").await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.error.as_deref()),
        (FaultKind::CodeRejected, Some("bad_verification_code"))
    );
}

#[tokio::test]
async fn each_way_to_prove_the_client_reaches_the_token_endpoint() {
    let at = TestProvider::start().await;
    let pem = || SecretString::from(std::fs::read_to_string(format!("{KEYS}/es256.pem")).unwrap());
    let secret = || SecretString::from(CLIENT_SECRET);
    // The provider checks both of these.
    for authentication in [ClientAuthentication::Basic(secret()), ClientAuthentication::Post(secret())] {
        let floor = connect(Settings { client_authentication: authentication, ..oidc(&at) }, &at);
        floor.sign_in(&at, Person::named("ada")).await.unwrap();
    }
    let wrong = ClientAuthentication::Basic("wrong".into());
    let fault = connect(Settings { client_authentication: wrong, ..oidc(&at) }, &at)
        .sign_in(&at, Person::named("ada"))
        .await
        .unwrap_err();
    assert_eq!((fault.kind, fault.error.as_deref()), (FaultKind::ClientRejected, Some("invalid_client")));
    at.takes_any_client();
    let (key_id, team_id) = ("the-kid".to_owned(), "the-team".to_owned());
    let signed = |form: &str, audience: &str| {
        let seen = at.seen(Endpoint::Token).pop().unwrap();
        assert!(!seen.headers.contains_key("authorization"));
        assert_eq!(seen.form["client_id"], CLIENT_ID);
        let (header, claims) = decode(&seen.form[form]);
        assert_eq!((&header["alg"], &header["kid"]), (&"ES256".into(), &"the-kid".into()));
        assert_eq!((&claims["sub"], &claims["aud"]), (&CLIENT_ID.into(), &audience.into()));
        assert_eq!(claims["exp"], START.seconds() + 60);
    };
    let sign_in = async |authentication| {
        let floor = connect(Settings { client_authentication: authentication, ..oidc(&at) }, &at);
        floor.sign_in(&at, Person::named("ada")).await.unwrap();
    };
    sign_in(ClientAuthentication::PrivateKeyJwt { private_key: pem(), key_id: Some(key_id.clone()) }).await;
    signed("client_assertion", &at.issuer());
    sign_in(ClientAuthentication::Apple { private_key: pem(), key_id, team_id }).await;
    signed("client_secret", "https://appleid.apple.com");
    sign_in(ClientAuthentication::None).await;
    let seen = at.seen(Endpoint::Token).pop().unwrap();
    assert_eq!(seen.form["client_id"], CLIENT_ID);
    assert!(!seen.form.contains_key("client_secret") && !seen.headers.contains_key("authorization"));
}

#[tokio::test]
async fn an_assertion_is_for_the_issuer_unless_it_is_unset_or_not_accepted() {
    let at = TestProvider::start().await;
    at.takes_any_client();
    let with_key = |settings: Settings| {
        let private_key = std::fs::read_to_string(format!("{KEYS}/es256.pem")).unwrap().into();
        Settings {
            client_authentication: ClientAuthentication::PrivateKeyJwt { private_key, key_id: None },
            ..settings
        }
    };
    let to_endpoint =
        Settings { client_assertion_audience: AssertionAudience::TokenEndpoint, ..with_key(oidc(&at)) };
    for (settings, wanted) in [
        (with_key(oidc(&at)), at.issuer()),
        (to_endpoint, at.url("/token")),
        (with_key(oauth2(&at)), at.url("/token")),
    ] {
        connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap();
        let seen = at.seen(Endpoint::Token).pop().unwrap();
        assert_eq!(decode(&seen.form["client_assertion"]).1["aud"], wanted);
    }
    // An issuer for many tenants has no single name.
    let template = format!("{}/{{tenantid}}/v2.0", at.issuer());
    at.edits_metadata(move |metadata| drop(metadata.insert("issuer".into(), template.clone().into())));
    at.sends_no_iss();
    let kind = ProviderKind::Oidc {
        issuer: format!("{}/common/v2.0", at.issuer()),
        discovery_url: None,
        jwks_url: None,
        userinfo: Userinfo::Never,
    };
    let refused = connect(with_key(settings(kind)), &at).sign_in(&at, Person::named("ada")).await;
    assert_eq!(super::kind(refused), FaultKind::IdTokenIssuer);
    let seen = at.seen(Endpoint::Token).pop().unwrap();
    assert_eq!(decode(&seen.form["client_assertion"]).1["aud"], at.url("/token"));
}

#[tokio::test]
async fn an_error_of_the_provider_is_told_by_its_code_alone() {
    let at = TestProvider::start().await;
    for settings in [oidc(&at), oauth2(&at), github(&at)] {
        let floor = connect(settings, &at);
        let page = floor.begin().await.unwrap();
        for (error, wanted, told) in [
            ("invalid_grant", FaultKind::CodeRejected, Some("invalid_grant")),
            ("unauthorized_client", FaultKind::ClientRejected, Some("unauthorized_client")),
            ("access_denied", FaultKind::ProviderError, Some("access_denied")),
            ("temporarily_unavailable", FaultKind::Status, None),
        ] {
            let code = at.log_in(&page, Person::named("ada")).code;
            at.fails_at(Endpoint::Token, Fault::OAuthError(error));
            let fault = floor.redeem(&code).await.unwrap_err();
            at.recovers();
            assert_eq!((fault.kind, fault.error.as_deref()), (wanted, told));
            assert!(!fault.to_string().contains("ada"), "{fault}");
        }
    }
}

#[tokio::test]
async fn a_token_response_must_be_one() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    for (member, value, wanted) in [
        ("token_type", "DPoP", FaultKind::Malformed),
        ("access_token", "", FaultKind::Malformed),
        ("id_token", "", FaultKind::IdTokenMissing),
        ("id_token", "a.b.c", FaultKind::IdTokenMalformed),
    ] {
        at.edits_token_response(move |answer| drop(answer.insert(member.into(), value.into())));
        assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), wanted, "{member}: {value}");
    }
    at.edits_token_response(|answer| {
        answer.insert("token_type".into(), "bEaReR".into());
        answer.insert("expires_in".into(), "60".into());
        answer.insert("more".into(), 12_345_678_901_234_567_890_u64.into());
    });
    let tokens = floor.sign_in(&at, Person::named("ada")).await.unwrap().tokens.unwrap();
    assert_eq!(tokens.token_type, "bEaReR");
    assert_eq!(tokens.expires_at, Some(START.plus(Duration::from_mins(1))));
}

#[tokio::test]
async fn the_answer_of_another_issuer_is_refused() {
    let at = TestProvider::start().await;
    let oauth_issuer = format!("{}/login/oauth", at.issuer());
    let (own, other) = (at.issuer(), "https://other.example".to_owned());
    let check = async |settings: Settings, iss: Option<&str>| {
        let floor = connect(settings, &at);
        let turn = floor.provider.turn(soon()).unwrap();
        floor.provider.check_issuer(iss, &turn).await.map_err(|fault| fault.kind)
    };
    for (settings, iss, is_good) in [
        (oidc(&at), Some(&own), true),
        (oidc(&at), Some(&other), false),
        (oidc(&at), Some(&oauth_issuer), false),
        // The metadata says that the provider sends `iss`.
        (oidc(&at), None, false),
        (oauth2(&at), Some(&own), true),
        (oauth2(&at), Some(&other), false),
        (oauth2(&at), None, true),
        (github(&at), Some(&oauth_issuer), true),
        (github(&at), Some(&own), true),
        (github(&at), Some(&other), false),
        (github(&at), None, true),
    ] {
        let wanted = if is_good { Ok(()) } else { Err(FaultKind::IssuerMismatch) };
        assert_eq!(check(settings, iss.map(String::as_str)).await, wanted, "{iss:?}");
    }
    at.sends_no_iss();
    assert_eq!(check(oidc(&at), None).await, Ok(()));
    // If the settings name the issuer, no request is necessary.
    at.fails_with(Fault::Hang);
    assert_eq!(check(oidc(&at), Some(&own)).await, Ok(()));
}

#[tokio::test]
async fn the_name_that_apple_posts_is_taken_where_there_is_no_other() {
    let at = TestProvider::start().await;
    let user = r#"{"name":{"firstName":"Eve","lastName":"Lovelace"},"email":"eve@example.com"}"#;
    for (response_mode, name, wanted) in [
        (ResponseMode::FormPost, None, Some("Eve Lovelace")),
        (ResponseMode::FormPost, Some("Ada"), Some("Ada")),
        (ResponseMode::Query, None, None),
    ] {
        let floor = connect(Settings { response_mode, ..oidc(&at) }, &at);
        assert_eq!(floor.provider.response_mode(), response_mode);
        let person = Person { name: name.map(str::to_owned), ..Person::named("ada") };
        let page = floor.begin().await.unwrap();
        assert_eq!(page.contains("response_mode=form_post"), response_mode == ResponseMode::FormPost);
        let code = at.log_in(&page, person).code;
        let proof = floor.redeem_with(&code, NONCE, VERIFIER, Some(user), soon()).await.unwrap();
        assert_eq!(proof.profile.name.as_deref(), wanted);
        assert_eq!(proof.profile.email.unwrap().as_str(), "ada@example.com");
    }
}

#[test]
fn settings_that_cannot_be_used_are_told_before_anything_is_asked() {
    let clock = Arc::new(gatepass::model::ManualClock::at(START));
    let refuse = |settings: Settings, named: &str| {
        let fault = oauth::connect(settings, Arc::clone(&clock) as _, Arc::new(OsEntropy)).map(drop);
        let fault = fault.unwrap_err();
        assert!(fault.starts_with(named), "{fault}");
    };
    let oauth2 = || settings(ProviderKind::OAuth2 { issuer: "https://idp.example".to_owned() });
    let http = Some(Url::parse("http://idp.example").unwrap());
    refuse(oauth2(), "authorization_url: ");
    refuse(Settings { token_url: http, ..oauth2() }, "token_url: ");
    refuse(Settings { ca: Some("no-such-file.pem".into()), ..oauth2() }, "ca: no-such-file.pem: ");
    let private_key = SecretString::from("no key");
    let authentication = ClientAuthentication::PrivateKeyJwt { private_key, key_id: None };
    refuse(Settings { client_authentication: authentication, ..oauth2() }, "private_key: ");
    for issuer in ["", "http://idp.example", "idp.example"] {
        let kind = ProviderKind::Oidc {
            issuer: issuer.to_owned(),
            discovery_url: None,
            jwks_url: None,
            userinfo: Userinfo::Never,
        };
        refuse(settings(kind), "issuer: ");
    }
}
