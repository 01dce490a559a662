//! `app_data`: data of the application that the callbacks of a sign-in see.

use gatepass::grpc::proto::v1::id_token_credential::Binding;
use gatepass::grpc::proto::v1::{BeginSignInRequest, IssueTokenResponse, SignInRequest};
use serde_json::{Value, json};

use crate::support::callback_service::{CallbackServer, to_json, to_struct};
use crate::support::provider::{Person, TestProvider};
use crate::support::signing_in::{app_with, begin, come_back, entry, of_id_token, with_providers};
use crate::support::{TestApp, allowed, app, builder, profile};
use crate::support::{denied, fields};

const CEL: &str = "callbacks:
  cel:
    sign_in: app_data.?invitation.orValue('') == 'i-1'
    jwt: {invited: app_data.?invitation}
";

async fn tokens(app: &TestApp, request: SignInRequest) -> IssueTokenResponse {
    let grant = allowed(app.try_sign_in(request).await).grant.unwrap();
    app.issue(&grant).await.unwrap()
}

fn invited(issued: IssueTokenResponse) -> Value {
    to_json(&issued.session.unwrap().claims.unwrap())
}

/// Runs the sign-in of a browser with this data, and returns the request that comes back.
async fn comes_back(
    app: &TestApp,
    provider: &TestProvider,
    app_data: Option<prost_types::Struct>,
) -> SignInRequest {
    let begun = app.begin(BeginSignInRequest { app_data, ..begin("corp") }).await.unwrap();
    come_back(&begun.flow, provider.log_in(&begun.authorization_url, Person::named("ada")))
}

#[tokio::test]
async fn the_flow_brings_the_data_to_the_callbacks() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "")]).config(CEL).start().await;
    let request = comes_back(&app, &provider, Some(to_struct(&json!({"invitation": "i-1"})))).await;
    let issued = tokens(&app, request).await;
    let refresh_token = issued.refresh_token.clone();
    assert_eq!(invited(issued), json!({"invited": "i-1"}));
    // At a refresh there is none; the claim stays.
    let refreshed = app.refresh(&refresh_token).await.unwrap();
    assert_eq!(to_json(&refreshed.session.unwrap().claims.unwrap()), json!({"invited": "i-1"}));
    let without = comes_back(&app, &provider, None).await;
    denied(app.try_sign_in(without).await);
}

#[tokio::test]
async fn sign_in_takes_the_data_where_there_is_no_flow() {
    let app = builder().config(CEL).start().await;
    denied(app.try_sign_in(profile("ada")).await);
    let request =
        SignInRequest { app_data: Some(to_struct(&json!({"invitation": "i-1"}))), ..profile("ada") };
    assert_eq!(invited(tokens(&app, request).await), json!({"invited": "i-1"}));
}

#[tokio::test]
async fn with_a_flow_sign_in_takes_none() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let app_data = Some(to_struct(&json!({"a": 1})));
    let request = comes_back(&app, &provider, None).await;
    let twice = SignInRequest { app_data: app_data.clone(), ..request.clone() };
    assert_eq!(fields(app.try_sign_in(twice).await), ["app_data"]);
    let bound = of_id_token("corp", "a.b.c", Binding::Flow("f".to_owned()));
    assert_eq!(fields(app.try_sign_in(SignInRequest { app_data, ..bound }).await), ["app_data"]);
    // The flow is unused.
    allowed(app.try_sign_in(request).await);
}

#[tokio::test]
async fn the_data_is_json_of_at_most_1024_bytes() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let of = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
    for (bytes, fits) in [(1024, true), (1025, false)] {
        let begun =
            app.begin(BeginSignInRequest { app_data: Some(to_struct(&of(bytes))), ..begin("corp") }).await;
        let signed_in =
            app.try_sign_in(SignInRequest { app_data: Some(to_struct(&of(bytes))), ..profile("ada") }).await;
        if fits {
            assert!(begun.is_ok() && signed_in.is_ok());
        } else {
            assert_eq!(
                (fields(begun), fields(signed_in)),
                (vec!["app_data".to_owned()], vec!["app_data".to_owned()])
            );
        }
    }
    for bad in [json!({"n": 1e300}), json!({"": 1})] {
        let request = SignInRequest { app_data: Some(to_struct(&bad)), ..profile("ada") };
        assert_eq!(fields(app.try_sign_in(request).await), ["app_data"], "{bad}");
    }
}

#[tokio::test]
async fn another_data_is_another_request() {
    let app = app().await;
    let request = SignInRequest {
        request_id: "a-request-of-enough-random-bits".to_owned(),
        app_data: Some(to_struct(&json!({"a": 1}))),
        ..profile("ada")
    };
    let first = allowed(app.try_sign_in(request.clone()).await);
    assert_eq!(allowed(app.try_sign_in(request.clone()).await).grant, first.grant);
    let other = SignInRequest { app_data: Some(to_struct(&json!({"a": 2}))), ..request };
    assert_eq!(fields(app.try_sign_in(other).await), ["request_id"]);
}

#[tokio::test]
async fn a_service_sees_the_data_at_sign_in_and_at_the_first_token() {
    let service = CallbackServer::start().await;
    let app = builder().config(&service.section("")).start().await;
    let told = json!({"invitation": "i-1"});
    let issued = tokens(&app, SignInRequest { app_data: Some(to_struct(&told)), ..profile("ada") }).await;
    assert_eq!(service.rules.sign_in.last().message.app_data.as_ref().map(to_json), Some(told.clone()));
    assert_eq!(service.rules.jwt.last().message.app_data.as_ref().map(to_json), Some(told));
    app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(service.rules.jwt.last().message.app_data, None);
    // Linking asks sign_in, too.
    let link_access_token = issued.access_token;
    let linking = SignInRequest {
        link_access_token,
        app_data: Some(to_struct(&json!({"b": true}))),
        ..profile("work")
    };
    allowed(app.try_sign_in(SignInRequest { ..linking }).await);
    assert_eq!(service.rules.sign_in.last().message.app_data.as_ref().map(to_json), Some(json!({"b": true})));
}
