//! `shadow: true`: Gatepass calls the service, compares and logs its answers, and ignores them.

use std::time::Duration;

use gatepass::grpc::proto::callback::v1::RedirectResponse;
use serde_json::json;

use super::asking;
use crate::support::callback_service::{CallbackServer, Reply, claims, deny, no_token, shows, to_json};
use crate::support::log::Log;
use crate::support::{TestApp, eventually};

const SHADOW: &str = "shadow: true, timeout: 10s";

/// Makes a successful call of each kind, and returns the claims of the session.
async fn all_well(app: &TestApp) -> serde_json::Value {
    let issued = app.tokens("ada").await;
    let read = app.session(&issued.access_token).await.unwrap();
    app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(app.resolve("/x").await.unwrap().url, "http://localhost:3000/x");
    to_json(&read.session.unwrap().claims.unwrap())
}

#[tokio::test]
async fn a_shadow_decides_nothing_and_the_log_tells_what_it_would_have() {
    let (log, _logging) = Log::begin();
    let service = CallbackServer::start().await;
    let app = asking(&service, SHADOW).await;
    service.rules.sign_in.answers(|_| deny("secret reason"));
    service.rules.jwt.answers(|_| claims(&json!({"tenant": "secret tenant"})));
    service.rules.session.answers(|_| shows(&json!({"greeting": "secret greeting"})));
    service.rules.redirect.answers(|_| RedirectResponse { url: "/secret".to_owned() });
    assert_eq!(all_well(&app).await, json!({}));
    let would = |callback: &str, would: &str| {
        let lines = log.lines("shadow callback would decide otherwise");
        let (callback, would) = (format!("callback=\"{callback}\""), format!("would=\"{would}\""));
        lines.iter().any(|line| line.contains(&callback) && line.contains(&would))
    };
    for (callback, otherwise) in
        [("sign_in", "deny"), ("jwt", "+tenant"), ("session", "+greeting"), ("redirect", "url")]
    {
        let told = async || would(callback, otherwise);
        eventually(callback, told).await;
    }
    service.rules.jwt.answers(|_| no_token("secret reason"));
    all_well(&app).await;
    eventually("a denied token", async || would("jwt", "deny")).await;
    assert!(log.lines("secret").is_empty());
    assert!(log.lines("ada@example.com").is_empty());
}

#[tokio::test]
async fn a_shadow_is_told_all_that_it_would_be_told_and_which_call_it_was() {
    let service = CallbackServer::start().await;
    let app = asking(&service, SHADOW).await;
    let mut request = tonic::Request::new(crate::support::profile("ada"));
    request.metadata_mut().insert("x-request-id", "the-id".parse().unwrap());
    let signed_in = crate::support::allowed(app.auth.clone().sign_in(request).await);
    let rules = &service.rules;
    rules.sign_in.until_calls(1).await;
    let told = rules.sign_in.last();
    assert_eq!(told.metadata.get("x-request-id").unwrap(), "the-id");
    // The call and its deadline have ended, so the shadow call has its own full time.
    assert_eq!(told.metadata.get("grpc-timeout").unwrap(), "10000000u");
    assert_eq!(to_json(told.message.profile.as_ref().unwrap())["email"], "ada@example.com");
    app.issue(&signed_in.grant.unwrap()).await.unwrap();
    rules.jwt.until_calls(1).await;
    assert_eq!(rules.jwt.last().message.account, signed_in.account);
    rules.session.until_calls(1).await;
    assert!(rules.session.last().message.user.is_some());
}

#[tokio::test]
async fn a_shadow_that_agrees_is_no_news() {
    let (log, _logging) = Log::begin();
    let service = CallbackServer::start().await;
    let app = asking(&service, SHADOW).await;
    all_well(&app).await;
    eventually("five agreements", async || log.lines("shadow callback agrees").len() >= 5).await;
    assert!(log.lines("would decide otherwise").is_empty());
}

#[tokio::test]
async fn a_shadow_that_fails_or_hangs_fails_and_delays_no_call() {
    let (log, _logging) = Log::begin();
    let service = CallbackServer::start().await;
    let app = asking(&service, "shadow: true, timeout: 1m").await;
    service.rules.jwt.answers(|_| claims(&json!({"sub": "somebody"})));
    service.rules.session.does(|_| Reply::Fail(tonic::Code::Internal));
    service.rules.sign_in.hangs();
    service.rules.redirect.hangs();
    let begin = std::time::Instant::now();
    all_well(&app).await;
    assert!(begin.elapsed() < Duration::from_mins(1));
    eventually("failures told", async || {
        let lines = log.lines("shadow callback failed");
        ["jwt", "session"].iter().all(|callback| lines.iter().any(|line| line.contains(callback)))
    })
    .await;
}

#[tokio::test]
async fn shadows_under_way_are_bounded() {
    let (log, _logging) = Log::begin();
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [redirect], shadow: true, timeout: 1m").await;
    service.rules.redirect.hangs();
    for _ in 0..70 {
        app.resolve("/x").await.unwrap();
    }
    service.rules.redirect.until_calls(64).await;
    assert_eq!(log.lines("too many shadow callbacks").len(), 1);
    assert_eq!(service.rules.redirect.calls(), 64);
}
