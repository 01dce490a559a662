//! Cached answers of `session`: off by default, and used only for exactly the same input.

use std::sync::Arc;
use std::time::Duration;

use gatepass::grpc::proto::v1::User;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{asking, unavailable};
use crate::support::callback_service::{CallbackServer, Reply, shows, to_json};
use crate::support::refusal;

const CACHED: &str = "callbacks: [session], session_cache_ttl: 5s";

#[tokio::test]
async fn without_the_setting_every_call_asks() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [session]").await;
    let issued = app.tokens("ada").await;
    for _ in 0..3 {
        app.session(&issued.access_token).await.unwrap();
    }
    assert_eq!(service.rules.session.calls(), 4);
}

#[tokio::test]
async fn a_session_asks_once_in_the_time_of_the_cache() {
    let service = CallbackServer::start().await;
    let app = asking(&service, CACHED).await;
    service.rules.session.answers(|_| shows(&json!({"greeting": "Hello"})));
    let issued = app.tokens("ada").await;
    let shown =
        async || to_json(&app.session(&issued.access_token).await.unwrap().session.unwrap().claims.unwrap());
    for _ in 0..3 {
        assert_eq!(shown().await, json!({"greeting": "Hello"}));
    }
    assert_eq!(service.rules.session.calls(), 1);
    service.rules.session.answers(|_| shows(&json!({"greeting": "Good morning"})));
    app.clock.advance(Duration::from_millis(4999));
    assert_eq!(shown().await, json!({"greeting": "Hello"}));
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(shown().await, json!({"greeting": "Good morning"}));
    assert_eq!(service.rules.session.calls(), 2);
}

#[tokio::test]
async fn no_session_is_shown_what_was_answered_for_another() {
    let service = CallbackServer::start().await;
    let app = asking(&service, CACHED).await;
    service.rules.session.answers(|asked| {
        let session = asked.session.clone().unwrap();
        shows(&json!({"of": session.id.unwrap(), "level": session.user.unwrap().role.unwrap()}))
    });
    let (ada, eve) = (app.tokens("ada").await, app.tokens("eve").await);
    let shown = async |token: &str| {
        let session = app.session(token).await.unwrap().session.unwrap();
        let claims = to_json(&session.claims.unwrap());
        assert_eq!(claims["of"], json!(session.id.unwrap()));
        claims["level"].as_str().unwrap().to_owned()
    };
    for tokens in [&ada, &eve, &ada] {
        assert_eq!(shown(&tokens.access_token).await, "user");
    }
    assert_eq!(service.rules.session.calls(), 2);
    // Another role changes the input, in the same session.
    let id = ada.session.unwrap().user.unwrap().id.unwrap();
    app.update(User { id, role: "admin".to_owned(), ..Default::default() }, &["role"]).await.unwrap();
    assert_eq!(shown(&ada.access_token).await, "admin");
    assert_eq!(shown(&eve.access_token).await, "user");
    assert_eq!(service.rules.session.calls(), 3);
}

#[tokio::test]
async fn a_revoked_session_is_refused_although_its_claims_are_cached() {
    let service = CallbackServer::start().await;
    let app = asking(&service, CACHED).await;
    let issued = app.tokens("ada").await;
    app.session(&issued.access_token).await.unwrap();
    app.ban(&issued.session.unwrap().user.unwrap().id.unwrap()).await;
    assert_eq!(refusal(app.session(&issued.access_token).await).1, "USER_BANNED");
}

#[tokio::test]
async fn of_many_calls_at_once_one_asks() {
    let service = CallbackServer::start().await;
    let app = asking(&service, CACHED).await;
    let issued = app.tokens("ada").await;
    app.clock.advance(Duration::from_secs(5));
    let told = Arc::new(Notify::new());
    let when = Arc::clone(&told);
    service.rules.session.does(move |_| Reply::When(Arc::clone(&when), shows(&json!({"n": 1}))));
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let (mut auth, token) = (app.auth.clone(), issued.access_token.clone());
        calls.spawn(async move {
            let credential = gatepass::grpc::proto::v1::get_session_request::Credential::AccessToken(token);
            let request = gatepass::grpc::proto::v1::GetSessionRequest {
                credential: Some(credential),
                ..Default::default()
            };
            auth.get_session(request).await
        });
    }
    service.rules.session.until_calls(2).await;
    told.notify_one();
    for answer in calls.join_all().await {
        let claims = answer.unwrap().into_inner().session.unwrap().claims.unwrap();
        assert_eq!(to_json(&claims), json!({"n": 1.0}));
    }
    assert_eq!(service.rules.session.calls(), 2);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let service = CallbackServer::start().await;
    let app = asking(&service, CACHED).await;
    let issued = app.tokens("ada").await;
    app.clock.advance(Duration::from_secs(5));
    service.rules.session.does(|_| Reply::Fail(tonic::Code::Internal));
    for _ in 0..2 {
        assert_eq!(refusal(app.session(&issued.access_token).await), unavailable());
    }
    assert_eq!(service.rules.session.calls(), 3);
    service.rules.session.answers(|_| shows(&json!({})));
    app.session(&issued.access_token).await.unwrap();
}
