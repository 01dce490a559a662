//! `BeginSignIn`: returns an authorization URL and a flow, and writes nothing.

use std::collections::HashMap;
use std::time::Duration;

use gatepass::grpc::proto::v1::BeginSignInRequest;
use tonic::Code;
use url::Url;

use crate::support::people::{fields, proto_time};
use crate::support::provider::{CLIENT_ID, Fault, Person, TestProvider};
use crate::support::signing_in::{REDIRECT_URI, app_with, begin, come_back, entry, with_providers};
use crate::support::{START, allowed, app, refusal};

fn params(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_browser_is_sent_to_the_provider_with_pkce_state_and_nonce() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    app.take_statements();
    let begun = app.begin(begin("corp")).await.unwrap();
    let asked = params(&begun.authorization_url);
    assert!(begun.authorization_url.starts_with(&provider.url("/authorize?")));
    for (name, wanted) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], wanted, "{name}");
    }
    for secret in ["state", "nonce", "code_challenge"] {
        assert!(asked[secret].len() >= 43, "{secret}");
    }
    assert_eq!(begun.expires_at, Some(proto_time(START.plus(Duration::from_mins(15)))));
    let cookie = begun.cookie.unwrap();
    assert_eq!(cookie.name, format!("gatepass_flow_{}", &asked["state"][..16]));
    assert_eq!((cookie.same_site.as_str(), cookie.max_age.unwrap().seconds), ("Lax", 900));
    assert!(begun.flow.len() <= 3500);
    assert_eq!((app.counts().await, app.log().await.len()), ([0, 0, 0], 0));
}

#[tokio::test]
async fn nothing_is_asked_of_the_database() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    app.take_statements();
    app.begin(begin("corp")).await.unwrap();
    assert_eq!(app.take_statements(), Vec::<String>::new());
}

#[tokio::test]
async fn every_flow_is_another() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let (one, two) = (app.begin(begin("corp")).await.unwrap(), app.begin(begin("corp")).await.unwrap());
    let (asked, again) = (params(&one.authorization_url), params(&two.authorization_url));
    for secret in ["state", "nonce", "code_challenge"] {
        assert_ne!(asked[secret], again[secret], "{secret}");
    }
    assert_ne!(one.flow, two.flow);
    assert_ne!(one.cookie.unwrap().name, two.cookie.unwrap().name);
}

#[tokio::test]
async fn a_flow_reveals_nothing_of_its_content() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let begun = app.begin(begin("corp")).await.unwrap();
    let asked = params(&begun.authorization_url);
    for secret in ["state", "nonce", "redirect_uri"] {
        assert!(!begun.flow.contains(&asked[secret]), "{secret}");
    }
}

#[tokio::test]
async fn an_unknown_provider_is_not_found() {
    let provider = TestProvider::start().await;
    let (with, without) = (app_with(&provider).await, app().await);
    let wanted = (Code::NotFound, "PROVIDER_NOT_FOUND".to_owned());
    assert_eq!(refusal(with.begin(begin("github")).await), wanted);
    assert_eq!(refusal(without.begin(begin("corp")).await), wanted);
    assert_eq!(fields(with.begin(begin("Corp!")).await), ["provider"]);
    assert_eq!(fields(with.begin(begin("")).await), ["provider"]);
}

#[tokio::test]
async fn a_browser_returns_to_a_base_url_or_to_a_listed_url() {
    let provider = TestProvider::start().await;
    let listed = "redirect_uris: ['https://app.corp.example/cb', 'com.example.app:/cb']";
    let app = with_providers(&[entry("corp", &provider, listed)])
        .config("base_urls: ['http://localhost:3000', 'https://*.example.com']")
        .start()
        .await;
    let asked =
        |redirect_uri: &str| BeginSignInRequest { redirect_uri: redirect_uri.to_owned(), ..begin("corp") };
    for (given, wanted) in [
        ("", "https://app.corp.example/cb"),
        ("https://app.corp.example/cb", "https://app.corp.example/cb"),
        ("com.example.app:/cb", "com.example.app:/cb"),
        (REDIRECT_URI, REDIRECT_URI),
        ("https://shop.example.com/cb?x=1", "https://shop.example.com/cb?x=1"),
    ] {
        let begun = app.begin(asked(given)).await.unwrap();
        assert_eq!(params(&begun.authorization_url)["redirect_uri"], wanted, "{given}");
    }
    for bad in [
        "/auth/callback",
        "https://app.corp.example/cb/",
        "https://app.corp.example/CB",
        "https://evil.example/cb",
        "http://localhost:3001/cb",
        "http://localhost:3000/cb#x",
        "http://localhost:3000/a/../cb",
        "http://localhost:3000@evil.example/cb",
        "HTTP://localhost:3000/cb",
        "javascript:alert(1)",
        &format!("http://localhost:3000/{}", "x".repeat(512)),
    ] {
        assert_eq!(fields(app.begin(asked(bad)).await), ["redirect_uri"], "{bad}");
    }
}

#[tokio::test]
async fn where_nothing_is_listed_the_redirect_uri_is_required() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let request = BeginSignInRequest { redirect_uri: String::new(), ..begin("corp") };
    assert_eq!(fields(app.begin(request).await), ["redirect_uri"]);
}

#[tokio::test]
async fn scopes_and_parameters_are_passed_on() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let request = BeginSignInRequest {
        scopes: vec!["email".to_owned(), "groups".to_owned()],
        authorization_params: [
            ("prompt".to_owned(), "login".to_owned()),
            ("login_hint".to_owned(), "ada & eve=é".to_owned()),
        ]
        .into(),
        ..begin("corp")
    };
    let asked = params(&app.begin(request).await.unwrap().authorization_url);
    assert_eq!(asked["prompt"], "login");
    assert_eq!(asked["login_hint"], "ada & eve=é");
    let mut scopes: Vec<_> = asked["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["email", "groups", "openid"]);
}

#[tokio::test]
async fn what_gatepass_sets_itself_can_not_be_set() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    for name in [
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "grant_type",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "registration",
        "request",
        "request_uri",
        // Some servers treat these like the names above.
        "client-id",
        "code-challenge_method",
    ] {
        let authorization_params = [(name.to_owned(), "x".to_owned())].into();
        let request = BeginSignInRequest { authorization_params, ..begin("corp") };
        assert_eq!(fields(app.begin(request).await), [format!("authorization_params[{name}]")]);
    }
}

#[tokio::test]
async fn a_name_that_some_server_may_read_as_another_is_none() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let with = |name: &str| {
        let authorization_params = [(name.to_owned(), "x".to_owned())].into();
        app.begin(BeginSignInRequest { authorization_params, ..begin("corp") })
    };
    for bad in [
        "",
        "State",
        "STATE",
        "state[]",
        "state[0]",
        "state ",
        " state",
        "state\0",
        "state%00",
        "state&nonce",
        "code.challenge",
        "code challenge",
        "code[challenge",
        "statė",
        &"p".repeat(65),
    ] {
        assert_eq!(fields(with(bad).await), ["authorization_params"], "{bad}");
    }
    for good in ["hd", "kc_idp_hint", "ext-campaign", "allow_signup", "resource", "claims", "p2"] {
        assert_eq!(params(&with(good).await.unwrap().authorization_url)[good], "x", "{good}");
    }
}

#[tokio::test]
async fn a_max_age_is_a_number_of_seconds_and_for_who_can_prove_it() {
    let provider = TestProvider::start().await;
    let github = "{id: github, client_id: a, client_secret: b}".to_owned();
    let app = with_providers(&[entry("corp", &provider, ""), github]).start().await;
    let with = |provider: &str, max_age: &str| {
        let authorization_params = [("max_age".to_owned(), max_age.to_owned())].into();
        app.begin(BeginSignInRequest { authorization_params, ..begin(provider) })
    };
    for good in ["0", "3600", "4294967295"] {
        let begun = with("corp", good).await.unwrap();
        assert_eq!(params(&begun.authorization_url)["max_age"], good);
    }
    for bad in ["", "-1", "+1", "1.5", "1e3", " 1", "0x1", "4294967296", "an hour"] {
        assert_eq!(fields(with("corp", bad).await), ["authorization_params[max_age]"], "{bad}");
    }
    assert_eq!(fields(with("github", "60").await), ["authorization_params[max_age]"]);
}

#[tokio::test]
async fn parameters_and_scopes_are_bounded() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let with = |params: Vec<(String, String)>| BeginSignInRequest {
        authorization_params: params.into_iter().collect(),
        ..begin("corp")
    };
    let many = (0..33).map(|number| (format!("p{number}"), "x".to_owned())).collect();
    assert_eq!(fields(app.begin(with(many)).await), ["authorization_params"]);
    let long = vec![("p".to_owned(), "x".repeat(1025))];
    assert_eq!(fields(app.begin(with(long)).await), ["authorization_params[p]"]);
    for scope in ["", "a b", "a\"", "é", &"x".repeat(256)] {
        let request = BeginSignInRequest { scopes: vec![scope.to_owned()], ..begin("corp") };
        assert_eq!(fields(app.begin(request).await), ["scopes[0]"], "{scope}");
    }
    let request = BeginSignInRequest { scopes: vec!["x".to_owned(); 65], ..begin("corp") };
    assert_eq!(fields(app.begin(request).await), ["scopes"]);
}

#[tokio::test]
async fn a_refused_value_is_not_repeated_at_length() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let authorization_params = [("n".repeat(1500), "v".repeat(1500))].into();
    let request = BeginSignInRequest { authorization_params, ..begin("corp") };
    let status = app.begin(request).await.unwrap_err();
    let told = format!("{} {}", status.message(), String::from_utf8_lossy(status.details()));
    assert!(!told.contains("nnnn") && !told.contains("vvvv"), "{told}");
    assert_eq!(fields::<()>(Err(status)), ["authorization_params"]);
}

#[tokio::test]
async fn a_flow_always_fits_a_cookie() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let long = |bytes: usize| format!("{REDIRECT_URI}?{}", "x".repeat(bytes - REDIRECT_URI.len() - 1));
    for (redirect_uri, redirect_to) in [(512, 2048), (60, 2048), (512, 1000), (60, 100_000)] {
        let request = BeginSignInRequest {
            redirect_uri: long(redirect_uri),
            redirect_to: format!("/{}", "y".repeat(redirect_to.min(60_000))),
            ..begin("corp")
        };
        let begun = app.begin(request).await.unwrap();
        assert!(begun.flow.len() <= 3500, "{}", begun.flow.len());
        let many = BeginSignInRequest {
            redirect_uri: long(redirect_uri),
            redirect_to: "/cart".to_owned(),
            scopes: (0..64).map(|number| format!("{number}{}", "s".repeat(253))).collect(),
            ..begin("corp")
        };
        let begun = app.begin(many).await.unwrap();
        let answer = provider.log_in(&begun.authorization_url, Person::named("ada"));
        allowed(app.try_sign_in(come_back(&begun.flow, answer)).await);
    }
}

#[tokio::test]
async fn a_provider_that_comes_back_by_post_needs_a_cookie_that_does_too() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "response_mode: form_post")]).start().await;
    let begun = app.begin(begin("corp")).await.unwrap();
    assert_eq!(params(&begun.authorization_url)["response_mode"], "form_post");
    assert_eq!(begun.cookie.unwrap().same_site, "None");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_unavailable() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "timeout: 200ms")]).start().await;
    provider.fails_with(Fault::Hang);
    let refused = app.begin(begin("corp")).await;
    assert_eq!(refusal(refused), (Code::Unavailable, "PROVIDER_UNAVAILABLE".to_owned()));
}

#[tokio::test]
async fn an_invalid_token_links_nothing() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let request = BeginSignInRequest { link_access_token: "junk".to_owned(), ..begin("corp") };
    assert_eq!(refusal(app.begin(request).await), (Code::Unauthenticated, "TOKEN_MALFORMED".to_owned()));
}
