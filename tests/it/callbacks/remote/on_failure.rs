//! `on_failure: allow`: a failed `session` or `redirect` counts as an answer that changes nothing.

use std::time::Duration;

use gatepass::grpc::proto::callback::v1::RedirectResponse;
use serde_json::json;

use super::{asking, unavailable};
use crate::support::callback_service::{CallbackServer, claims, shows, to_json};
use crate::support::{profile, refusal};

#[tokio::test]
async fn a_session_or_redirect_that_fails_is_passed_over_and_the_others_are_not() {
    let mut service = CallbackServer::start().await;
    let app = asking(&service, "on_failure: {session: allow, redirect: allow}").await;
    service.rules.jwt.answers(|_| claims(&json!({"tenant": "t1"})));
    service.rules.session.answers(|_| shows(&json!({"greeting": "Hello"})));
    service.rules.redirect.answers(|_| RedirectResponse { url: "/home".to_owned() });
    let grant = app.sign_in("ada").await.grant.unwrap();
    let issued = app.tokens("ada").await;
    assert_eq!(app.resolve("/x").await.unwrap().url, "http://localhost:3000/home");
    service.stop().await;
    let read = app.session(&issued.access_token).await.unwrap().session.unwrap();
    assert_eq!(to_json(&read.claims.unwrap()), json!({"tenant": "t1"}));
    assert_eq!(app.resolve("/x").await.unwrap().url, "http://localhost:3000/x");
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    assert_eq!(refusal(app.issue(&grant).await), unavailable());
    assert_eq!(refusal(app.refresh(&issued.refresh_token).await), unavailable());
}

#[tokio::test]
async fn a_hung_session_that_is_passed_over_costs_its_timeout_a_few_times_only() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [session], on_failure: allow, timeout: 200ms").await;
    let issued = app.tokens("ada").await;
    let before = service.rules.session.calls();
    service.rules.session.hangs();
    for _ in 0..20 {
        app.session(&issued.access_token).await.unwrap();
    }
    assert_eq!(service.rules.session.calls(), before + 5);
    service.rules.session.answers(|_| shows(&json!({"greeting": "Hello"})));
    app.clock.advance(Duration::from_secs(5));
    let read = app.session(&issued.access_token).await.unwrap().session.unwrap();
    assert_eq!(to_json(&read.claims.unwrap()), json!({"greeting": "Hello"}));
}

#[tokio::test]
async fn an_answer_that_can_not_be_taken_is_passed_over_as_a_whole() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [session], on_failure: allow").await;
    service.rules.session.answers(|_| shows(&json!({"greeting": "Hello", "role": "admin"})));
    let issued = app.tokens("ada").await;
    assert_eq!(to_json(&issued.session.unwrap().claims.unwrap()), json!({}));
}
