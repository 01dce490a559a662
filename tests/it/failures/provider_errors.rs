//! The errors of providers, told apart: what an operator must correct, what a person declined, and what may be retried.

use gatepass::grpc::proto::v1::{DenialReason, SignInRequest, sign_in_request};
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::denied;
use crate::support::log::Log;
use crate::support::provider::{Endpoint, Fault, Person, TestProvider};
use crate::support::signing_in::{app_with, begin};
use crate::support::{TestApp, allowed, refusal};

/// The codes of a wrong configuration.
const OF_CONFIGURATION: [&str; 5] = [
    "invalid_client",
    "unauthorized_client",
    "redirect_uri_mismatch",
    "incorrect_client_credentials",
    "invalid_scope",
];

/// The codes of a person who declined, or who must do something at the provider.
const DENIALS: [&str; 7] = [
    "access_denied",
    "consent_required",
    "interaction_required",
    "login_required",
    "account_selection_required",
    "user_cancelled_login",
    "user_cancelled_authorize",
];

async fn start() -> (TestProvider, TestApp) {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    (provider, app)
}

fn misconfigured() -> (Code, String) {
    (Code::FailedPrecondition, "PROVIDER_MISCONFIGURED".to_owned())
}

/// Returns the metadata of an error.
fn metadata(status: &Status, name: &str) -> Option<String> {
    status.get_error_details().error_info().unwrap().metadata.get(name).cloned()
}

/// Returns the number of sign-ins by `corp` with this outcome and reason, if there is such a series.
async fn counted(app: &TestApp, outcome: &str, reason: &str) -> Option<f64> {
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels = [of("provider", "corp"), of("outcome", outcome), of("reason", reason)];
    let samples = app.metrics().await.samples;
    let of_name = samples.iter().filter(|sample| sample.name == "gatepass_sign_ins_total");
    let mut found = of_name.filter(|sample| labels.iter().all(|label| sample.labels.contains(label)));
    found.next().map(|sample| sample.value)
}

/// Returns the request of a browser that brings this error back.
async fn brought(app: &TestApp, provider: &TestProvider, error: &str) -> SignInRequest {
    let mut request = app.log_in(provider, Person::named("ada")).await;
    let Some(sign_in_request::Credential::OauthCallback(callback)) = &mut request.credential else {
        panic!("{request:?}")
    };
    callback.code.clear();
    callback.error = Some(error.to_owned());
    request
}

#[tokio::test]
async fn a_code_of_configuration_from_the_token_endpoint_is_for_the_operator() {
    let (provider, app) = start().await;
    for (before, error) in [0.0, 1.0, 2.0, 3.0, 4.0].into_iter().zip(OF_CONFIGURATION) {
        let request = app.log_in(&provider, Person::named("ada")).await;
        provider.fails_at(Endpoint::Token, Fault::OAuthError(error));
        let (log, _guard) = Log::begin();
        let status = app.try_sign_in(request.clone()).await.unwrap_err();
        let lines = log.lines("ERROR");
        let [line] = lines.as_slice() else { panic!("once: {lines:?}") };
        for part in ["provider misconfigured", "provider=corp", &format!("code=\"{error}\"")] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(metadata(&status, "error").as_deref(), Some(error));
        assert_eq!(metadata(&status, "provider").as_deref(), Some("corp"));
        assert!(status.get_error_details().retry_info().is_none());
        assert_eq!(refusal::<()>(Err(status)), misconfigured());
        let count = counted(&app, "failed", "PROVIDER_MISCONFIGURED").await;
        assert_eq!(count, Some(before + 1.0));
        assert_eq!(app.log().await.last().unwrap(), "SIGN_IN_DENIED FAILED PROVIDER_MISCONFIGURED");
        provider.recovers();
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    allowed(app.try_sign_in_at(&provider, Person::named("ada")).await);
}

#[tokio::test]
async fn a_denial_from_the_token_endpoint_is_an_answer_with_its_code() {
    let (provider, app) = start().await;
    for error in DENIALS {
        provider.fails_at(Endpoint::Token, Fault::OAuthError(error));
        let denied = denied(app.try_sign_in_at(&provider, Person::named("ada")).await);
        let told = (denied.reason(), denied.detail.as_deref());
        assert_eq!(told, (DenialReason::ProviderError, Some(error)));
    }
    assert_eq!(counted(&app, "denied", "PROVIDER_ERROR").await, Some(7.0));
    assert_eq!(counted(&app, "failed", "PROVIDER_MISCONFIGURED").await, Some(0.0));
}

#[tokio::test]
async fn a_code_of_configuration_from_a_browser_raises_no_alarm() {
    let (provider, app) = start().await;
    for error in OF_CONFIGURATION {
        let request = brought(&app, &provider, error).await;
        let (log, _guard) = Log::begin();
        let denied = denied(app.try_sign_in(request).await);
        let told = (denied.reason(), denied.detail.as_deref());
        assert_eq!(told, (DenialReason::ProviderError, Some(error)));
        let lines = log.lines("provider error reported by a browser");
        assert!(lines.len() == 1 && lines[0].contains("INFO") && lines[0].contains(error), "{lines:?}");
        assert!(log.lines("WARN").is_empty() && log.lines("ERROR").is_empty());
    }
    assert_eq!(counted(&app, "reported", "PROVIDER_ERROR").await, Some(5.0));
    for error in DENIALS {
        let request = brought(&app, &provider, error).await;
        let denied = denied(app.try_sign_in(request).await);
        assert_eq!(denied.detail.as_deref(), Some(error));
    }
    assert_eq!(counted(&app, "denied", "PROVIDER_ERROR").await, Some(7.0));
    assert_eq!(counted(&app, "failed", "PROVIDER_MISCONFIGURED").await, Some(0.0));
}

#[tokio::test]
async fn metadata_of_another_issuer_or_without_an_endpoint_is_for_the_operator() {
    for (member, value) in [
        ("issuer", json!("https://other.example")),
        ("token_endpoint", json!(null)),
        ("jwks_uri", json!("file:///etc/passwd")),
    ] {
        let (provider, app) = start().await;
        provider.edits_metadata(move |metadata| drop(metadata.insert(member.into(), value.clone())));
        let status = app.begin(begin("corp")).await.unwrap_err();
        assert_eq!(metadata(&status, "fault").as_deref(), Some("PROVIDER_METADATA_INVALID"), "{member}");
        assert_eq!(refusal::<()>(Err(status)), misconfigured(), "{member}");
    }
}

#[tokio::test]
async fn documents_that_cannot_be_had_are_no_bad_credential() {
    for endpoint in [Endpoint::Jwks, Endpoint::Token] {
        for fault in [Fault::Status(503), Fault::Html, Fault::Body("{\"keys\":[]}")] {
            let (provider, app) = start().await;
            let request = app.log_in(&provider, Person::named("ada")).await;
            provider.fails_at(endpoint, fault);
            let (log, _guard) = Log::begin();
            let status = app.try_sign_in(request).await.unwrap_err();
            assert!(status.get_error_details().retry_info().is_none());
            assert_eq!(refusal::<()>(Err(status)), (Code::Aborted, "PROVIDER_UNAVAILABLE".to_owned()));
            assert_eq!(log.lines("provider failed").len(), 1);
            assert_eq!(counted(&app, "failed", "PROVIDER_UNAVAILABLE").await, Some(1.0));
        }
    }
}
