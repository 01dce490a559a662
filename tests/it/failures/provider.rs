//! A provider that fails, returns wrong data or hangs. Each fault has its own reason in the log, ends in time, and
//! writes only its log row and the used mark. Other calls are not slowed down.

use std::sync::Arc;

use gatepass::grpc::proto::v1::SignInRequest;
use serde_json::json;
use tokio::sync::Semaphore;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::support::crowd::patient;
use crate::support::provider::{Endpoint, Fault, Forgery, Person, TestProvider};
use crate::support::signing_in::{app_with, begin, come_back, entry, with_providers};
use crate::support::{TestApp, allowed, eventually, refusal};

async fn start() -> (TestProvider, TestApp) {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "timeout: 300ms, userinfo: always")]).start().await;
    // This call fetches the discovery document, so that later failures are only those that a test sets.
    app.begin(begin("corp")).await.unwrap();
    (provider, app)
}

fn unavailable_for_good() -> (Code, String) {
    // The flow is used: a retry of the same call can't succeed.
    (Code::Aborted, "PROVIDER_UNAVAILABLE".to_owned())
}

fn invalid() -> (Code, String) {
    (Code::Unauthenticated, "CREDENTIAL_INVALID".to_owned())
}

/// Asserts that a failure left one row with this reason, and the used mark of the flow.
async fn left_no_more_than_its_row(app: &TestApp, reason: &str) {
    assert_eq!(app.counts().await, [0, 0, 0], "{reason}");
    assert_eq!(app.log().await, [format!("SIGN_IN_DENIED FAILED {reason}")]);
    assert_eq!(app.query("SELECT mark FROM used_marks").await.len(), 1, "{reason}");
}

/// `oauth::faults` has every fault at every endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_each_endpoint_is_logged_by_its_name() {
    for (endpoint, fault, reason) in [
        (Endpoint::Token, Fault::Hang, "PROVIDER_TIMED_OUT"),
        (Endpoint::Jwks, Fault::Reset, "PROVIDER_UNREACHABLE"),
        (Endpoint::Userinfo, Fault::Status(500), "PROVIDER_STATUS"),
    ] {
        let (provider, app) = start().await;
        let request = app.log_in(&provider, Person::named("ada")).await;
        provider.fails_at(endpoint, fault);
        let status = app.try_sign_in(request).await.expect_err(reason);
        let info = status.get_error_details().error_info().unwrap().clone();
        assert_eq!(refusal::<()>(Err(status)), unavailable_for_good(), "{reason}");
        assert_eq!(info.metadata["fault"], reason);
        assert_eq!(info.metadata["provider"], "corp", "{reason}");
        left_no_more_than_its_row(&app, reason).await;
    }
}

/// `oauth::id_tokens` has every forgery.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_id_token_is_logged_by_its_name() {
    let (provider, app) = start().await;
    provider.forges(Forgery::OtherAccessToken);
    let refused = app.try_sign_in_at(&provider, Person::named("ada")).await;
    assert_eq!(refusal(refused), invalid());
    left_no_more_than_its_row(&app, "ID_TOKEN_ACCESS_TOKEN_MISMATCH").await;
}

#[tokio::test]
async fn a_userinfo_of_another_subject_proves_no_identity() {
    let (provider, app) = start().await;
    provider.edits_userinfo(|claims| drop(claims.insert("sub".to_owned(), json!("eve"))));
    assert_eq!(refusal(app.try_sign_in_at(&provider, Person::named("ada")).await), invalid());
    left_no_more_than_its_row(&app, "SUBJECT_MISMATCH").await;
}

#[tokio::test]
async fn an_email_that_is_none_is_left_out_and_the_person_signs_in() {
    let (provider, app) = start().await;
    for (id, email) in
        [("ada", "ada@@example.com"), ("eve", "ad\u{212B}@example.com"), ("bob", " ada@example.com")]
    {
        let person = Person::named(id).with_email(email, true);
        let user = app.sign_in_at(&provider, person).await.user.unwrap();
        assert_eq!((user.email, user.email_verified), (None, false), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_hangs_is_told_of_within_the_calls_deadline() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    provider.fails_at(Endpoint::Token, Fault::Hang);
    let mut request = Request::new(request);
    request.set_timeout(std::time::Duration::from_secs(2));
    // This is not the deadline's own error: there was time left to report the failing provider and to log it.
    assert_eq!(refusal(app.try_sign_in(request).await), unavailable_for_good());
    left_no_more_than_its_row(&app, "PROVIDER_TIMED_OUT").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_provider_does_not_hold_up_other_calls() {
    let (dead, living) = (TestProvider::start().await, TestProvider::start().await);
    let entries = [entry("corp", &dead, "timeout: 30s"), entry("other", &living, "")].join(", ");
    let app = patient().config(&format!("providers: [{entries}]")).start().await;
    let access_token = app.tokens("ada").await.access_token;
    let mut waiting = Vec::new();
    let mut requests = Vec::new();
    for _ in 0..100 {
        requests.push(app.log_in(&dead, Person::named("eve")).await);
    }
    dead.fails_at(Endpoint::Token, Fault::Hang);
    for request in requests {
        let mut auth = app.auth.clone();
        waiting.push(tokio::spawn(async move { auth.sign_in(request).await }));
    }
    dead.until_requests(Endpoint::Token, 100).await;
    // All of them hang, and everything else works: the following calls would not end if they waited for any of them.
    let begun = app.begin(begin("other")).await.unwrap();
    let answer = living.log_in(&begun.authorization_url, Person::named("bob"));
    allowed(app.try_sign_in(come_back(&begun.flow, answer)).await);
    app.session(&access_token).await.unwrap();
    app.tokens("bea").await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Cancels the call while the code is redeemed, and lets the provider respond once the server knows of the
/// cancellation.
async fn hang_up(app: &TestApp, provider: &TestProvider, request: SignInRequest) {
    let (release, before) = (Arc::new(Semaphore::new(0)), provider.requests(Endpoint::Token));
    provider.fails_at(Endpoint::Token, Fault::Held(Arc::clone(&release)));
    let mut auth = app.auth.clone();
    let call = tokio::spawn(async move { auth.sign_in(request).await });
    provider.until_requests(Endpoint::Token, before + 1).await;
    call.abort();
    eventually("the call is over", || async {
        let handled = app.metrics().await.counted("grpc_server_handled_total");
        handled.iter().any(|line| line.contains("SignIn Canceled"))
    })
    .await;
    release.add_permits(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_whose_caller_hangs_up_goes_on_to_its_row() {
    for (forgery, row) in [
        (None, "SIGN_UP SUCCESS"),
        (Some(Forgery::OtherNonce), "SIGN_IN_DENIED FAILED ID_TOKEN_NONCE_MISMATCH"),
    ] {
        let provider = TestProvider::start().await;
        let app = app_with(&provider).await;
        let request = app.log_in(&provider, Person::named("ada")).await;
        if let Some(forgery) = forgery {
            provider.forges(forgery);
        }
        hang_up(&app, &provider, request).await;
        eventually(row, || async { app.log().await == [row] }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_for_which_there_is_no_room_spends_nothing() {
    let provider = TestProvider::start().await;
    let entry = entry("corp", &provider, "timeout: 30s");
    let app = patient().config(&format!("providers: [{entry}]")).start().await;
    let mut requests = Vec::new();
    for _ in 0..129 {
        requests.push(app.log_in(&provider, Person::named("ada")).await);
    }
    let one_more = requests.pop().unwrap();
    let release = Arc::new(Semaphore::new(0));
    provider.fails_at(Endpoint::Token, Fault::Held(Arc::clone(&release)));
    let waiting: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let mut auth = app.auth.clone();
            tokio::spawn(async move { auth.sign_in(request).await })
        })
        .collect();
    provider.until_requests(Endpoint::Token, 128).await;
    // The flow is unused: the call may be repeated.
    let unused = (Code::Unavailable, "PROVIDER_UNAVAILABLE".to_owned());
    assert_eq!(refusal(app.try_sign_in(one_more.clone()).await), unused);
    assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED PROVIDER_UNREACHABLE"]);
    assert_eq!(app.query("SELECT mark FROM used_marks").await.len(), 128);
    provider.recovers();
    release.add_permits(128);
    for waiting in waiting {
        allowed(waiting.await.unwrap());
    }
    allowed(app.try_sign_in(one_more).await);
}

#[tokio::test]
async fn known_keys_are_used_while_the_provider_is_down() {
    let (provider, app) = start().await;
    let token = |who: &str| provider.id_token(&Person::named(who), "a nonce of a browser");
    let sign_in = |token: String| {
        let nonce = gatepass::grpc::proto::v1::id_token_credential::Binding::Nonce;
        app.try_sign_in(crate::support::signing_in::of_id_token(
            "corp",
            &token,
            nonce("a nonce of a browser".to_owned()),
        ))
    };
    allowed(sign_in(token("ada")).await);
    provider.fails_with(Fault::Reset);
    app.clock.advance(std::time::Duration::from_hours(2));
    provider.clock().advance(std::time::Duration::from_hours(2));
    allowed(sign_in(token("eve")).await);
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found_by_its_first_token() {
    let (provider, app) = start().await;
    app.sign_in_at(&provider, Person::named("ada")).await;
    provider.rotates_keys();
    app.sign_in_at(&provider, Person::named("eve")).await;
}
