//! `RevokeUserSessions`: an administrator ends every session of a user.

use std::time::Duration;

use gatepass::grpc::proto::v1::RevokeUserSessionsRequest;
use tonic::{Code, Response, Status};

use crate::support::jwt::decode;
use crate::support::people::{NOBODY, fields};
use crate::support::strategy::also_with_references;
use crate::support::{TestApp, app, builder, reason, refusal};

async fn revoke(app: &TestApp, user_id: &str) -> Result<i32, Status> {
    let request = RevokeUserSessionsRequest { user_id: user_id.to_owned() };
    app.admin
        .clone()
        .revoke_user_sessions(request)
        .await
        .map(Response::into_inner)
        .map(|answer| answer.sessions_ended)
}

#[tokio::test]
async fn every_session_of_the_user_ends_at_once() {
    let app = app().await;
    let tokens = [app.tokens("ada").await, app.tokens("ada").await, app.tokens("ada").await];
    let pending = app.sign_in("ada").await;
    let bystander = app.tokens("bob").await;
    let user_id = pending.user.unwrap().id;
    assert_eq!(revoke(&app, &user_id).await.unwrap(), 3);
    let wanted = (Code::Unauthenticated, "SESSION_REVOKED".to_owned());
    for issued in &tokens {
        assert_eq!(refusal(app.session(&issued.access_token).await), wanted);
        assert_eq!(refusal(app.refresh(&issued.refresh_token).await), wanted);
    }
    assert_eq!(refusal(app.issue(&pending.grant.unwrap()).await), wanted);
    app.session(&bystander.access_token).await.unwrap();
    app.refresh(&bystander.refresh_token).await.unwrap();
    assert_eq!(revoke(&app, &user_id).await.unwrap(), 0);
}

#[tokio::test]
async fn a_later_sign_in_is_not_concerned() {
    let app = app().await;
    let first = app.tokens("ada").await;
    revoke(&app, &first.session.unwrap().user.unwrap().id.unwrap()).await.unwrap();
    let again = app.tokens("ada").await;
    assert_eq!(decode(&again.access_token).1["epoch"], 1);
    app.session(&again.access_token).await.unwrap();
    let refreshed = app.refresh(&again.refresh_token).await.unwrap();
    app.session(&refreshed.access_token).await.unwrap();
    assert_eq!(reason(app.session(&first.access_token).await), "SESSION_REVOKED");
}

#[tokio::test]
async fn only_live_sessions_are_counted() {
    let app = builder().config("session: {idle_ttl: 1h}").start().await;
    let expired = app.tokens("ada").await;
    app.clock.advance(Duration::from_hours(1));
    app.tokens("ada").await;
    let user_id = expired.session.unwrap().user.unwrap().id.unwrap();
    assert_eq!(revoke(&app, &user_id).await.unwrap(), 1);
}

#[tokio::test]
async fn it_is_logged_once_with_its_user() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    app.tokens("ada").await;
    let user_id = issued.session.unwrap().user.unwrap().id.unwrap();
    revoke(&app, &user_id).await.unwrap();
    let sql = "SELECT user_id AS id, email, caller FROM auth_logs WHERE action = 'SESSION_REVOKED'";
    let hex = user_id.replace('-', "").to_uppercase();
    assert_eq!(app.query(sql).await, [[&hex, "ada@example.com", "local"]]);
}

#[tokio::test]
async fn an_unknown_user_is_not_found_and_an_empty_id_is_invalid() {
    let app = app().await;
    assert_eq!(refusal(revoke(&app, NOBODY).await), (Code::NotFound, "USER_NOT_FOUND".to_owned()));
    for id in ["", "ada", &NOBODY.to_uppercase()] {
        assert_eq!(fields(revoke(&app, id).await), ["user_id"], "{id}");
    }
}

#[tokio::test]
async fn it_outlives_a_restart() {
    let app = app().await;
    let ended = app.tokens("ada").await;
    revoke(&app, &ended.session.unwrap().user.unwrap().id.unwrap()).await.unwrap();
    let live = app.tokens("ada").await;
    let app = app.restart(|yaml| yaml).await;
    assert_eq!(reason(app.session(&ended.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(app.refresh(&ended.refresh_token).await), "SESSION_REVOKED");
    app.session(&live.access_token).await.unwrap();
}

also_with_references!(every_session_of_the_user_ends_at_once, it_outlives_a_restart,);
