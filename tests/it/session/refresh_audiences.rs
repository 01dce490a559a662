//! Audiences at a refresh: a subset of those that `IssueToken` granted.

use gatepass::grpc::proto::v1::{IssueTokenRequest, RefreshTokenRequest, RefreshTokenResponse, Rotation};
use tonic::Status;

use crate::support::jwt::decode;
use crate::support::{TestApp, builder, fields};

const AUDIENCES: &str = "tokens: {audiences: [shop, blog, bank]}";

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Signs in and redeems the grant for these audiences; returns the refresh token.
async fn granted(app: &TestApp, audiences: &[&str]) -> String {
    let grant = app.sign_in("ada").await.grant.unwrap();
    let request = IssueTokenRequest { grant, audiences: list(audiences), ..Default::default() };
    app.issue_token(request).await.unwrap().refresh_token
}

async fn ask(app: &TestApp, token: &str, audiences: &[&str]) -> Result<RefreshTokenResponse, Status> {
    let (refresh_token, audiences) = (token.to_owned(), list(audiences));
    let request = RefreshTokenRequest { refresh_token, audiences, ..Default::default() };
    app.refresh_token(request).await
}

/// Refreshes for these audiences; asserts the ones of the new token and returns the refresh token.
async fn answered(app: &TestApp, token: &str, audiences: &[&str], wanted: &[&str]) -> String {
    let answer = ask(app, token, audiences).await.unwrap();
    assert_eq!(decode(&answer.access_token).1["aud"], serde_json::json!(wanted), "{audiences:?}");
    answer.refresh_token
}

#[tokio::test]
async fn a_refresh_adds_no_audience_to_those_that_were_granted() {
    let app = builder().config(AUDIENCES).start().await;
    let token = granted(&app, &["shop", "blog"]).await;
    for wrong in [&["bank"][..], &["shop", "bank"], &["other"], &["Shop"]] {
        assert_eq!(fields(ask(&app, &token, wrong).await), ["audiences"], "{wrong:?}");
    }
    let token = answered(&app, &token, &[], &["shop", "blog"]).await;
    assert_eq!(fields(ask(&app, &token, &["bank"]).await), ["audiences"]);
}

#[tokio::test]
async fn a_narrower_token_does_not_shrink_the_grant() {
    let app = builder().config(AUDIENCES).start().await;
    let token = granted(&app, &["shop", "blog"]).await;
    let token = answered(&app, &token, &["blog"], &["blog"]).await;
    let token = answered(&app, &token, &[], &["blog"]).await;
    let token = answered(&app, &token, &["shop", "blog"], &["shop", "blog"]).await;
    let before = answered(&app, &token, &["shop"], &["shop"]).await;
    // A replay chooses in the same way.
    let again = ask(&app, &token, &["blog"]).await.unwrap();
    assert_eq!((again.rotation(), &again.refresh_token), (Rotation::Replayed, &before));
    answered(&app, &before, &[], &["blog"]).await;
}

#[tokio::test]
async fn without_audiences_all_configured_ones_are_granted() {
    let app = builder().config(AUDIENCES).start().await;
    let token = granted(&app, &[]).await;
    let token = answered(&app, &token, &["bank"], &["bank"]).await;
    let token = answered(&app, &token, &["blog"], &["blog"]).await;
    // An audience that is configured later was not granted.
    let app = app.restart(|yaml| yaml.replace("shop, blog, bank", "shop, blog, later")).await;
    for wrong in ["later", "bank"] {
        assert_eq!(fields(ask(&app, &token, &[wrong]).await), ["audiences"], "{wrong}");
    }
    answered(&app, &token, &["shop"], &["shop"]).await;
}

#[tokio::test]
async fn a_row_of_an_older_version_grants_the_audiences_that_it_has() {
    let app = builder().config(AUDIENCES).start().await;
    let token = granted(&app, &["shop", "blog"]).await;
    app.execute("UPDATE sessions SET granted_audiences = NULL").await;
    assert_eq!(fields(ask(&app, &token, &["bank"]).await), ["audiences"]);
    let token = answered(&app, &token, &["shop"], &["shop"]).await;
    assert_eq!(fields(ask(&app, &token, &["bank"]).await), ["audiences"]);
    answered(&app, &token, &["blog"], &["blog"]).await;
}

#[tokio::test]
async fn a_refresh_of_an_older_version_widens_no_grant() {
    let app = builder().config(AUDIENCES).start().await;
    let token = granted(&app, &["shop", "blog"]).await;
    // Version 0.1 lets a refresh ask for every configured audience.
    app.execute("UPDATE sessions SET audiences = '[\"bank\",\"blog\"]'").await;
    assert_eq!(fields(ask(&app, &token, &["bank"]).await), ["audiences"]);
    let token = answered(&app, &token, &[], &["blog"]).await;
    app.execute("UPDATE sessions SET audiences = '[\"bank\"]'").await;
    assert_eq!(fields(ask(&app, &token, &[]).await), ["audiences"]);
    answered(&app, &token, &["shop"], &["shop"]).await;
}

#[tokio::test]
async fn a_repeated_redemption_grants_what_the_first_did() {
    let app = builder().config(AUDIENCES).start().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let (audiences, request_id) = (list(&["shop"]), "0123456789abcdef0123456789abcdef".to_owned());
    let request = IssueTokenRequest { grant, audiences, request_id, ..Default::default() };
    let mut token = String::new();
    for rotation in [Rotation::Issued, Rotation::Replayed] {
        let answer = app.auth.clone().issue_token(request.clone()).await.unwrap().into_inner();
        assert_eq!((answer.rotation(), answer.access_token_expires_at.is_some()), (rotation, true));
        token = answer.refresh_token;
    }
    assert_eq!(fields(ask(&app, &token, &["blog"]).await), ["audiences"]);
    answered(&app, &token, &["shop"], &["shop"]).await;
}
