//! The order of decisions: the built-in policy, the service, then the program that links Gatepass.

use std::sync::{Arc, Mutex};

use gatepass::auth::SignInDecision;
use gatepass::grpc::proto::callback::v1::RedirectResponse;
use gatepass::grpc::proto::v1::DenialReason;
use serde_json::json;

use crate::support::callback_service::{CallbackServer, claims, deny, shows, to_json};
use crate::support::hooks::{claims as hook_claims, object, on_jwt, on_redirect, on_session, on_sign_in};
use crate::support::people::denied;
use crate::support::{builder, profile, refusal};

use super::{asking, unavailable};

#[tokio::test]
async fn the_service_is_not_asked_about_a_user_that_the_policy_denies() {
    let service = CallbackServer::start().await;
    let config = format!("{}\nsign_in: {{allowed_email_domains: [company.com]}}", service.section(""));
    let app = builder().config(&config).start().await;
    let told = denied(app.try_sign_in(profile("ada")).await);
    assert_eq!(told.reason(), DenialReason::EmailNotAllowed);
    assert_eq!(service.rules.sign_in.calls(), 0);

    let app = asking(&service, "").await;
    let user = app.sign_in("ada").await.user.unwrap();
    app.ban(&user.id).await;
    assert_eq!(denied(app.try_sign_in(profile("ada")).await).reason(), DenialReason::UserBanned);
    assert_eq!(service.rules.sign_in.calls(), 1);
}

#[tokio::test]
async fn after_a_denial_or_a_failure_of_the_service_no_callback_is_called() {
    let service = CallbackServer::start().await;
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let hooks = on_sign_in(move |_| {
        *count.lock().unwrap() += 1;
        Ok(SignInDecision::Allow)
    });
    let app = builder().config(&service.section("")).callbacks(hooks).start().await;
    service.rules.sign_in.answers(|_| deny("no"));
    denied(app.try_sign_in(profile("ada")).await);
    service.rules.sign_in.does(|_| crate::support::callback_service::Reply::Fail(tonic::Code::Internal));
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    assert_eq!(*asked.lock().unwrap(), 0);
    service.rules.sign_in.answers(|_| crate::support::callback_service::allow());
    app.sign_in("ada").await;
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn what_the_service_adds_the_next_sees_and_may_take_away() {
    let service = CallbackServer::start().await;
    let hooks = on_jwt(|input| {
        assert_eq!(input.claims, &object(json!({"tenant": "t1", "level": 1})));
        Ok(hook_claims(json!({"level": null, "own": true})))
    })
    .and(on_session(|input| {
        assert_eq!(input.claims["greeting"], "Hello");
        Ok(object(json!({"greeting": "Good morning"})))
    }))
    .and(on_redirect(|input| {
        assert_eq!(input.url, "/home");
        Ok(Some("/start".to_owned()))
    }));
    let app = builder().config(&service.section("")).callbacks(hooks).start().await;
    service.rules.jwt.answers(|_| claims(&json!({"tenant": "t1", "level": 1})));
    service.rules.session.answers(|_| shows(&json!({"greeting": "Hello"})));
    service.rules.redirect.answers(|_| RedirectResponse { url: "/home".to_owned() });
    let issued = app.tokens("ada").await;
    let shown = to_json(&issued.session.unwrap().claims.unwrap());
    assert_eq!(shown, json!({"tenant": "t1", "own": true, "greeting": "Good morning"}));
    assert_eq!(app.resolve("/x").await.unwrap().url, "http://localhost:3000/start");
}

#[tokio::test]
async fn a_changed_role_makes_a_token_stale_if_the_service_implements_jwt() {
    let service = CallbackServer::start().await;
    for (callbacks, stale) in [
        ("callbacks: [jwt]", true),
        ("callbacks: [session]", false),
        ("callbacks: [jwt], shadow: true", false),
    ] {
        let app = asking(&service, callbacks).await;
        let issued = app.tokens("ada").await;
        let id = issued.session.unwrap().user.unwrap().id.unwrap();
        let user = gatepass::grpc::proto::v1::User { id, role: "admin".to_owned(), ..Default::default() };
        app.update(user, &["role"]).await.unwrap();
        let read = app.session(&issued.access_token).await;
        assert_eq!(
            read.err().map(|status| refusal::<()>(Err(status)).1),
            stale.then(|| "TOKEN_STALE".to_owned())
        );
    }
}
