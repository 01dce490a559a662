//! Circuit breaker: Gatepass stops calling a service that does not answer, except for an occasional trial call.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gatepass::grpc::proto::v1::GetSessionRequest;
use gatepass::grpc::proto::v1::get_session_request::Credential;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tonic::{Code, Request};

use super::{asking, unavailable};
use crate::support::callback_service::{CallbackServer, Reply, allow, shows};
use crate::support::log::Log;
use crate::support::{TestApp, builder, eventually, profile, refusal};

/// The number of consecutive unanswered calls that open the breaker.
const UNANSWERED: usize = 5;

/// More than any pause of the breaker.
const PAUSE: Duration = Duration::from_secs(5);

/// Lets sign-ins time out until the breaker is open.
async fn open(app: &TestApp, service: &CallbackServer) {
    service.rules.sign_in.hangs();
    for _ in 0..UNANSWERED {
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    }
    assert_eq!(service.rules.sign_in.calls(), UNANSWERED);
}

#[tokio::test]
async fn calls_in_a_row_that_time_out_spare_the_next_ones_the_timeout() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in], timeout: 500ms").await;
    open(&app, &service).await;
    for _ in 0..20 {
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    }
    assert_eq!(service.rules.sign_in.calls(), UNANSWERED, "it was not asked");
}

#[tokio::test]
async fn after_a_pause_exactly_one_call_asks_and_its_answer_lets_all() {
    let (log, _logging) = Log::begin();
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in], timeout: 1s").await;
    open(&app, &service).await;
    let told = Arc::new(Notify::new());
    let when = Arc::clone(&told);
    service.rules.sign_in.does(move |_| Reply::When(Arc::clone(&when), allow()));
    app.clock.advance(PAUSE);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let mut auth = app.auth.clone();
        calls.spawn(async move { auth.sign_in(profile("ada")).await });
    }
    for _ in 0..19 {
        assert_eq!(refusal(calls.join_next().await.unwrap().unwrap()), unavailable());
    }
    assert_eq!(service.rules.sign_in.calls(), UNANSWERED + 1);
    told.notify_one();
    calls.join_next().await.unwrap().unwrap().expect("the one that asked");
    service.rules.sign_in.answers(|_| allow());
    for _ in 0..3 {
        app.sign_in("ada").await;
    }
    assert_eq!(log.lines("calls in a row were not answered").len(), 1);
    assert_eq!(log.lines("callback answers again").len(), 1);
}

#[tokio::test]
async fn a_probe_that_times_out_makes_the_next_wait_longer() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in], timeout: 100ms").await;
    open(&app, &service).await;
    let mut asked = UNANSWERED;
    for pause in [250, 500, 1000] {
        app.clock.advance(Duration::from_millis(pause / 2 - 1));
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
        assert_eq!(service.rules.sign_in.calls(), asked, "too early for {pause}");
        app.clock.advance(Duration::from_millis(pause / 2 + 1));
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
        asked += 1;
        assert_eq!(service.rules.sign_in.calls(), asked, "{pause}");
    }
}

#[tokio::test]
async fn a_probe_whose_caller_goes_away_leaves_its_place_to_the_next() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [session], timeout: 1s").await;
    let access_token = app.tokens("ada").await.access_token;
    service.rules.session.hangs();
    for _ in 0..UNANSWERED {
        assert_eq!(refusal(app.session(&access_token).await), unavailable());
    }
    app.clock.advance(PAUSE);
    let probe = {
        let (mut auth, credential) = (app.auth.clone(), Credential::AccessToken(access_token.clone()));
        let request = GetSessionRequest { credential: Some(credential), ..Default::default() };
        tokio::spawn(async move { auth.get_session(request).await })
    };
    service.rules.session.until_calls(UNANSWERED + 1).await;
    service.rules.session.answers(|_| shows(&json!({})));
    probe.abort();
    eventually("a session", || async { app.session(&access_token).await.is_ok() }).await;
}

#[tokio::test]
async fn one_callback_that_does_not_answer_says_nothing_of_the_others() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 200ms").await;
    let issued = app.tokens("ada").await;
    service.rules.session.hangs();
    let before = service.rules.session.calls();
    for _ in 0..2 * UNANSWERED {
        assert_eq!(refusal(app.session(&issued.access_token).await), unavailable());
    }
    assert_eq!(service.rules.session.calls(), before + UNANSWERED);
    app.sign_in("eve").await;
    service.rules.session.answers(|_| shows(&json!({})));
    app.clock.advance(PAUSE);
    app.session(&issued.access_token).await.unwrap();
}

#[tokio::test]
async fn an_error_that_is_answered_is_an_answer() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in]").await;
    service.rules.sign_in.does(|_| Reply::Fail(Code::Internal));
    for _ in 0..3 * UNANSWERED {
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    }
    assert_eq!(service.rules.sign_in.calls(), 3 * UNANSWERED);
    service.rules.sign_in.does(|_| Reply::Fail(Code::Unavailable));
    for _ in 0..3 * UNANSWERED {
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    }
    assert_eq!(service.rules.sign_in.calls(), 4 * UNANSWERED);
}

#[tokio::test]
async fn callers_in_a_hurry_do_not_shut_the_service_for_others() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in], timeout: 1m").await;
    service.rules.sign_in.hangs();
    for _ in 0..2 * UNANSWERED {
        let mut request = Request::new(profile("ada"));
        request.set_timeout(Duration::from_millis(300));
        // The error names the caller's own deadline or that of Gatepass, whichever is reported first.
        app.auth.clone().sign_in(request).await.unwrap_err();
    }
    assert_eq!(service.rules.sign_in.calls(), 2 * UNANSWERED);
    service.rules.sign_in.answers(|_| allow());
    app.sign_in("ada").await;
}

#[tokio::test]
async fn a_service_that_has_more_time_than_any_call_is_left_alone_too() {
    let service = CallbackServer::start().await;
    let section = service.section("callbacks: [redirect], timeout: 1m");
    let app = builder().config(&section).server("request_timeout: 4s").start().await;
    service.rules.redirect.hangs();
    let hung = join_all((0..UNANSWERED).map(|_| app.resolve("/x"))).await;
    assert!(hung.into_iter().all(|answer| answer.is_err()));
    app.resolve("/x").await.unwrap_err();
    assert_eq!(service.rules.redirect.calls(), UNANSWERED, "it was not asked again");
}

#[tokio::test]
async fn calls_that_wait_are_bounded() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [redirect], timeout: 1m").await;
    service.rules.redirect.hangs();
    let mut waiting = JoinSet::new();
    // Each connection allows 200 concurrent calls.
    let other = tonic::transport::Endpoint::from_shared(format!("http://{}", app.grpc_addr)).unwrap();
    let other = other.connect().await.unwrap();
    let mut clients = [app.channel.clone(), other]
        .map(gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient::new);
    for call in 0..257 {
        let mut auth = clients[call % 2].clone();
        waiting.spawn(async move {
            let request = gatepass::grpc::proto::v1::ResolveRedirectRequest {
                url: "/x".to_owned(),
                base_url: String::new(),
            };
            auth.resolve_redirect(request).await
        });
    }
    // Only the call over the limit ends.
    let first = waiting.join_next().await.unwrap().unwrap();
    assert_eq!(refusal(first), unavailable());
    assert_eq!(waiting.len(), 256);
    assert!(clients[0].get_session(gatepass::grpc::proto::v1::GetSessionRequest::default()).await.is_err());
}
