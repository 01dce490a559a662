//! `SignIn` with an ID token that the client obtained itself: bound to this sign-in, and usable once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gatepass::grpc::proto::v1::id_token_credential::Binding;
use gatepass::grpc::proto::v1::{BeginSignInRequest, SignInRequest, sign_in_request};
use tonic::Code;

use crate::support::crowd::at_once;
use crate::support::hooks::fails_until_mended;
use crate::support::provider::{Forgery, Person, TestProvider};
use crate::support::signing_in::{begin, corp, entry, of_id_token, with_providers};
use crate::support::{START, allowed, builder, fields, refusal};

const NONCE: &str = "a nonce of this browser";

fn invalid() -> (Code, String) {
    (Code::Unauthenticated, "CREDENTIAL_INVALID".to_owned())
}

fn by_nonce(token: &str) -> SignInRequest {
    of_id_token("corp", token, Binding::Nonce(NONCE.to_owned()))
}

#[tokio::test]
async fn an_id_token_signs_its_person_in() {
    let (provider, app) = corp().await;
    let token = provider.id_token(&Person::named("ada"), NONCE);
    let allowed = allowed(app.try_sign_in(by_nonce(&token)).await);
    assert_eq!(allowed.user.unwrap().email.as_deref(), Some("ada@example.com"));
    assert_eq!(allowed.account.unwrap().r#type, "oidc");
    assert!(allowed.provider_tokens.is_none());
}

#[tokio::test]
async fn an_id_token_signs_in_once() {
    let (provider, app) = corp().await;
    let token = provider.id_token(&Person::named("ada"), NONCE);
    allowed(app.try_sign_in(by_nonce(&token)).await);
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), invalid());
    assert!(app.log().await[1].contains("ID_TOKEN_USED"));
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_present_one_id_token_one_is_let_in() {
    let (provider, app) = corp().await;
    let token = provider.id_token(&Person::named("ada"), NONCE);
    let answers = at_once(20, |_| {
        let (mut auth, request) = (app.auth.clone(), by_nonce(&token));
        async move { auth.sign_in(request).await }
    })
    .await;
    let (in_, out): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(in_.len(), 1);
    for answer in out {
        assert_eq!(refusal(answer), invalid());
    }
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn the_id_token_of_a_callback_signs_in_no_second_time() {
    let (provider, app) = corp().await;
    let tokens = app.sign_in_at(&provider, Person::named("ada")).await.provider_tokens.unwrap();
    let token = tokens.id_token.unwrap();
    let payload = crate::support::jwt::decode(&token).1;
    let nonce = payload["nonce"].as_str().unwrap().to_owned();
    let again = of_id_token("corp", &token, Binding::Nonce(nonce));
    assert_eq!(refusal(app.try_sign_in(again).await), invalid());
}

#[tokio::test]
async fn the_same_request_gets_the_same_grant() {
    let (provider, app) = corp().await;
    let token = provider.id_token(&Person::named("ada"), NONCE);
    let request =
        SignInRequest { request_id: "a-request-of-enough-random-bits".to_owned(), ..by_nonce(&token) };
    let first = allowed(app.try_sign_in(request.clone()).await);
    let again = allowed(app.try_sign_in(request).await);
    assert_eq!(first.grant, again.grant);
    assert_eq!(app.counts().await, [1, 1, 1]);
    // Another request with the same token counts as another sign-in.
    let other =
        SignInRequest { request_id: "b-request-of-enough-random-bits".to_owned(), ..by_nonce(&token) };
    assert_eq!(refusal(app.try_sign_in(other).await), invalid());
}

#[tokio::test]
async fn a_sign_in_that_was_denied_leaves_the_token_unused() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "")])
        .config("sign_in: {allowed_email_domains: [example.org]}")
        .start()
        .await;
    let token = provider.id_token(&Person::named("ada"), NONCE);
    crate::support::denied(app.try_sign_in(by_nonce(&token)).await);
    let app = app.restart(|yaml| yaml.replace("example.org", "example.com")).await;
    allowed(app.try_sign_in(by_nonce(&token)).await);
}

#[tokio::test]
async fn a_callback_that_fails_leaves_the_token_unused() {
    let provider = TestProvider::start().await;
    let (hooks, mended) = fails_until_mended();
    let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
    let token = provider.id_token(&Person::named("ada"), NONCE);
    let unavailable = (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned());
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), unavailable);
    assert_eq!(app.counts().await, [0, 0, 0]);
    mended.store(true, Ordering::Relaxed);
    allowed(app.try_sign_in(by_nonce(&token)).await);
}

#[tokio::test]
async fn another_nonce_is_refused() {
    let (provider, app) = corp().await;
    let token = provider.id_token(&Person::named("ada"), "another");
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), invalid());
    provider.forges(Forgery::NoNonce);
    let token = provider.id_token(&Person::named("ada"), NONCE);
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), invalid());
    let log = app.log().await;
    assert!(log.iter().all(|row| row.contains("ID_TOKEN_NONCE_MISMATCH")), "{log:?}");
}

#[tokio::test]
async fn a_flow_binds_a_token_by_its_nonce_and_is_used_with_it() {
    let (provider, app) = corp().await;
    let begun = app.begin(begin("corp")).await.unwrap();
    let url = url::Url::parse(&begun.authorization_url).unwrap();
    let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
    let with_flow = |token: &str| of_id_token("corp", token, Binding::Flow(begun.flow.clone()));
    let wrong = provider.id_token(&Person::named("ada"), NONCE);
    assert_eq!(refusal(app.try_sign_in(with_flow(&wrong)).await), invalid());
    let token = provider.id_token(&Person::named("ada"), &nonce);
    allowed(app.try_sign_in(with_flow(&token)).await);
    app.clock.advance(Duration::from_secs(1));
    let another = provider.id_token(&Person::named("eve"), &nonce);
    let used = (Code::Unauthenticated, "FLOW_USED".to_owned());
    assert_eq!(refusal(app.try_sign_in(with_flow(&another)).await), used);
}

#[tokio::test]
async fn a_flow_holds_a_token_to_the_max_age_that_was_asked() {
    let (provider, app) = corp().await;
    let authorization_params = [("max_age".to_owned(), "60".to_owned())].into();
    let begun = app.begin(BeginSignInRequest { authorization_params, ..begin("corp") }).await.unwrap();
    let url = url::Url::parse(&begun.authorization_url).unwrap();
    let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
    let sign_in = || {
        let token = provider.id_token(&Person::named("ada"), &nonce);
        app.try_sign_in(of_id_token("corp", &token, Binding::Flow(begun.flow.clone())))
    };
    assert_eq!(refusal(sign_in().await), invalid());
    assert!(app.log().await[0].contains("ID_TOKEN_AUTH_TIME"));
    let auth_time = START.seconds() - 30;
    provider.edits_id_tokens(move |_, claims| {
        claims.insert("auth_time".to_owned(), auth_time.into());
    });
    allowed(sign_in().await);
}

#[tokio::test]
async fn the_flow_of_another_provider_is_refused() {
    let (one, two) = (TestProvider::start().await, TestProvider::start().await);
    let app = with_providers(&[entry("corp", &one, ""), entry("other", &two, "")]).start().await;
    let begun = app.begin(begin("other")).await.unwrap();
    let token = one.id_token(&Person::named("ada"), NONCE);
    let request = of_id_token("corp", &token, Binding::Flow(begun.flow));
    assert_eq!(refusal(app.try_sign_in(request).await), (Code::Unauthenticated, "FLOW_INVALID".to_owned()));
}

#[tokio::test]
async fn the_token_of_another_provider_is_refused() {
    let (one, two) = (TestProvider::start().await, TestProvider::start().await);
    let app = with_providers(&[entry("corp", &one, ""), entry("other", &two, "")]).start().await;
    let token = two.id_token(&Person::named("ada"), NONCE);
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), invalid());
}

/// The unit tests of `oauth/oidc/id_token` have every audience.
#[tokio::test]
async fn a_token_for_an_app_of_ours_is_taken_where_the_app_is_listed() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "audiences: [ios, android]")]).start().await;
    let is_for = |aud: &'static str| {
        provider.edits_id_tokens(move |_, claims| drop(claims.insert("aud".to_owned(), aud.into())));
    };
    is_for("web");
    let token = provider.id_token(&Person::named("ada"), NONCE);
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), invalid());
    assert!(app.log().await.pop().unwrap().contains("ID_TOKEN_AUDIENCE_MISMATCH"));
    is_for("ios");
    let token = provider.id_token(&Person::named("ada"), NONCE);
    allowed(app.try_sign_in(by_nonce(&token)).await);
    // A token from a code exchange must be for the client that redeems the code.
    let refused = app.try_sign_in_at(&provider, Person::named("ada")).await;
    assert_eq!(refusal(refused), invalid());
}

/// `oauth::id_tokens` has every forgery.
#[tokio::test]
async fn a_forged_id_token_writes_nothing_but_a_log_row() {
    let (provider, app) = corp().await;
    provider.forges(Forgery::OtherSignature);
    let token = provider.id_token(&Person::named("ada"), NONCE);
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token)).await), invalid());
    assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED ID_TOKEN_SIGNATURE_INVALID"]);
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert!(app.query("SELECT mark FROM used_marks").await.is_empty());
}

#[tokio::test]
async fn a_provider_without_id_tokens_takes_none() {
    let app = builder().config("providers: [{id: github, client_id: a, client_secret: b}]").start().await;
    let request = of_id_token("github", "a.b.c", Binding::Nonce(NONCE.to_owned()));
    assert_eq!(fields(app.try_sign_in(request).await), ["credential.id_token.provider"]);
    let unknown = of_id_token("corp", "a.b.c", Binding::Nonce(NONCE.to_owned()));
    assert_eq!(refusal(app.try_sign_in(unknown).await), (Code::NotFound, "PROVIDER_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_token_without_a_nonce_signs_in_only_where_the_provider_allows_it() {
    let provider = TestProvider::start().await;
    provider.forges(Forgery::NoNonce);
    let token = |who: &str| provider.id_token(&Person::named(who), NONCE);
    let unbound = |token: &str| {
        let mut request = by_nonce(token);
        let Some(sign_in_request::Credential::IdToken(credential)) = &mut request.credential else {
            panic!()
        };
        credential.binding = None;
        request
    };
    let strict = with_providers(&[entry("corp", &provider, "")]).start().await;
    assert_eq!(fields(strict.try_sign_in(unbound(&token("ada"))).await), ["credential.id_token.binding"]);
    let app = with_providers(&[entry("corp", &provider, "nonce: optional")]).start().await;
    let once = token("ada");
    allowed(app.try_sign_in(unbound(&once)).await);
    assert_eq!(refusal(app.try_sign_in(unbound(&once)).await), invalid());
    // A call with a nonce needs a token with that nonce.
    assert_eq!(refusal(app.try_sign_in(by_nonce(&token("eve"))).await), invalid());
    let old = token("bob");
    app.clock.advance(Duration::from_mins(11));
    assert_eq!(refusal(app.try_sign_in(unbound(&old)).await), invalid());
    // A token with a nonce needs a call with that nonce.
    let fresh = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &fresh, "nonce: optional")]).start().await;
    let with_nonce = fresh.id_token(&Person::named("ada"), NONCE);
    assert_eq!(refusal(app.try_sign_in(unbound(&with_nonce)).await), invalid());
    allowed(app.try_sign_in(by_nonce(&with_nonce)).await);
}
