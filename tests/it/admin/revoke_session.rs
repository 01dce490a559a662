//! `RevokeSession`: an administrator ends one session.

use gatepass::grpc::proto::v1::RevokeSessionRequest;
use tonic::{Code, Response, Status};

use crate::support::people::{NOBODY, fields};
use crate::support::strategy::also_with_references;
use crate::support::{TestApp, app, reason, refusal};

async fn revoke(app: &TestApp, session_id: &str) -> Result<(), Status> {
    let request = RevokeSessionRequest { session_id: session_id.to_owned() };
    app.admin.clone().revoke_session(request).await.map(Response::into_inner).map(|_| ())
}

#[tokio::test]
async fn a_revoked_session_ends_at_once_and_alone() {
    let app = app().await;
    let [ended, other] = [app.tokens("ada").await, app.tokens("ada").await];
    let session_id = ended.session.unwrap().id.unwrap();
    revoke(&app, &session_id).await.unwrap();
    let wanted = (Code::Unauthenticated, "SESSION_REVOKED".to_owned());
    assert_eq!(refusal(app.session(&ended.access_token).await), wanted);
    assert_eq!(refusal(app.refresh(&ended.refresh_token).await), wanted);
    app.session(&other.access_token).await.unwrap();
    app.refresh(&other.refresh_token).await.unwrap();
    let rows = app
        .query("SELECT session_id AS id, provider, email FROM auth_logs WHERE action = 'SESSION_REVOKED'")
        .await;
    assert_eq!(rows, [[session_id.replace('-', "").to_uppercase().as_str(), "github", "ada@example.com"]]);
}

#[tokio::test]
async fn a_session_that_had_ended_is_revoked_without_a_word() {
    let app = app().await;
    let session_id = app.tokens("ada").await.session.unwrap().id.unwrap();
    for _ in 0..3 {
        revoke(&app, &session_id).await.unwrap();
    }
    let revoked = app.log().await.into_iter().filter(|line| line.starts_with("SESSION_REVOKED")).count();
    assert_eq!(revoked, 1);
}

#[tokio::test]
async fn a_pending_session_is_revoked_too() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    revoke(&app, &app.session_ids().await[0]).await.unwrap();
    assert_eq!(reason(app.issue(&grant).await), "SESSION_REVOKED");
}

#[tokio::test]
async fn no_session_is_not_found_and_no_id_is_invalid() {
    let app = app().await;
    let wanted = (Code::NotFound, "SESSION_NOT_FOUND".to_owned());
    assert_eq!(refusal(revoke(&app, NOBODY).await), wanted);
    for id in ["", "session", &NOBODY.to_uppercase()] {
        assert_eq!(fields(revoke(&app, id).await), ["session_id"], "{id}");
    }
}

#[tokio::test]
async fn a_revocation_outlives_a_restart() {
    let app = app().await;
    let [ended, other] = [app.tokens("ada").await, app.tokens("ada").await];
    revoke(&app, &ended.session.unwrap().id.unwrap()).await.unwrap();
    let app = app.restart(|yaml| yaml).await;
    assert_eq!(reason(app.session(&ended.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(app.refresh(&ended.refresh_token).await), "SESSION_REVOKED");
    app.session(&other.access_token).await.unwrap();
}

also_with_references!(a_revoked_session_ends_at_once_and_alone, a_revocation_outlives_a_restart,);
