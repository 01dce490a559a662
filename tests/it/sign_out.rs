//! `SignOut`: a session's own token ends it, or every session of its user.

use std::time::Duration;

use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenResponse, RefreshTokenRequest, SignOutRequest, get_session_request,
    sign_out_request,
};
use tonic::{Code, Status};

use crate::support::callers::{caller, callers, key};
use crate::support::{TestApp, allowed, app, builder, profile, reason, refusal, with_key};

fn by_access(token: &str) -> SignOutRequest {
    let credential = Some(sign_out_request::Credential::AccessToken(token.to_owned()));
    SignOutRequest { credential, ..Default::default() }
}

fn by_refresh(token: &str) -> SignOutRequest {
    let credential = Some(sign_out_request::Credential::RefreshToken(token.to_owned()));
    SignOutRequest { credential, ..Default::default() }
}

async fn sign_out(app: &TestApp, request: SignOutRequest) -> Result<i32, Status> {
    app.auth.clone().sign_out(request).await.map(|answer| answer.into_inner().sessions_ended)
}

/// Why a session's tokens are refused; nothing, if both are good.
async fn refused(app: &TestApp, issued: &IssueTokenResponse) -> Vec<String> {
    let credential = Some(get_session_request::Credential::AccessToken(issued.access_token.clone()));
    let read = app.auth.clone().get_session(GetSessionRequest { credential, ..Default::default() }).await;
    let request = RefreshTokenRequest { refresh_token: issued.refresh_token.clone(), ..Default::default() };
    let refreshed = app.auth.clone().refresh_token(request).await;
    let mut reasons = Vec::new();
    if read.is_err() {
        reasons.push(reason(read));
    }
    if refreshed.is_err() {
        reasons.push(reason(refreshed));
    }
    reasons
}

#[tokio::test]
async fn a_session_ends_by_either_of_its_tokens() {
    let app = app().await;
    for by in [0, 1] {
        let issued = app.tokens("ada").await;
        let request =
            || if by == 0 { by_access(&issued.access_token) } else { by_refresh(&issued.refresh_token) };
        assert_eq!(sign_out(&app, request()).await.unwrap(), 1);
        assert_eq!(refused(&app, &issued).await, ["SESSION_REVOKED", "SESSION_REVOKED"]);
        // Again: there is nothing left to end, and that is no error.
        assert_eq!(sign_out(&app, request()).await.unwrap(), 0);
    }
    assert_eq!(app.log().await.iter().filter(|line| *line == "SIGN_OUT SUCCESS").count(), 2);
}

#[tokio::test]
async fn an_expired_or_rotated_token_still_signs_out_and_raises_no_alarm() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    for _ in 0..3 {
        let request =
            RefreshTokenRequest { refresh_token: issued.refresh_token.clone(), ..Default::default() };
        app.auth.clone().refresh_token(request).await.unwrap();
    }
    app.clock.advance(Duration::from_hours(2));
    assert_eq!(sign_out(&app, by_refresh(&issued.refresh_token)).await.unwrap(), 1);
    let other = app.tokens("ada").await;
    app.clock.advance(Duration::from_hours(2));
    assert_eq!(sign_out(&app, by_access(&other.access_token)).await.unwrap(), 1);
    assert!(!app.log().await.iter().any(|line| line.starts_with("REFRESH_REUSED")));
}

#[tokio::test]
async fn everywhere_ends_all_sessions_of_the_user_and_no_others() {
    let app = app().await;
    let (here, there, other) = (app.tokens("ada").await, app.tokens("ada").await, app.tokens("eve").await);
    let open = app.sign_in("ada").await.grant.unwrap();
    let everywhere = SignOutRequest { everywhere: true, ..by_access(&here.access_token) };
    assert_eq!(sign_out(&app, everywhere.clone()).await.unwrap(), 2);
    for issued in [&here, &there] {
        assert_eq!(refused(&app, issued).await, ["SESSION_REVOKED", "SESSION_REVOKED"]);
    }
    assert!(refused(&app, &other).await.is_empty());
    assert_eq!(reason(app.issue(&open).await), "SESSION_REVOKED");
    // A token of a session that is over says nothing of those that came later.
    let later = app.tokens("ada").await;
    assert_eq!(sign_out(&app, everywhere).await.unwrap(), 0);
    assert!(refused(&app, &later).await.is_empty());
}

#[tokio::test]
async fn everywhere_else_keeps_the_current_session() {
    let app = app().await;
    let (here, there) = (app.tokens("ada").await, app.tokens("ada").await);
    let elsewhere =
        SignOutRequest { everywhere: true, except_current: true, ..by_refresh(&here.refresh_token) };
    assert_eq!(sign_out(&app, elsewhere).await.unwrap(), 1);
    assert!(refused(&app, &here).await.is_empty());
    assert_eq!(refused(&app, &there).await, ["SESSION_REVOKED", "SESSION_REVOKED"]);
}

#[tokio::test]
async fn what_proves_no_session_ends_none() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let alone = SignOutRequest { except_current: true, ..by_access(&issued.access_token) };
    for (request, code, wanted) in [
        (SignOutRequest::default(), Code::InvalidArgument, "INVALID_REQUEST"),
        (alone, Code::InvalidArgument, "INVALID_REQUEST"),
        (by_access(""), Code::Unauthenticated, "TOKEN_MALFORMED"),
        (by_access(&issued.refresh_token), Code::Unauthenticated, "TOKEN_MALFORMED"),
        (
            by_access(&format!("{}AAAA", &issued.access_token[..issued.access_token.len() - 4])),
            Code::Unauthenticated,
            "TOKEN_SIGNATURE_INVALID",
        ),
        (by_refresh(&issued.access_token), Code::Unauthenticated, "REFRESH_INVALID"),
        (by_refresh(&format!("{}A", &issued.refresh_token[..131])), Code::Unauthenticated, "REFRESH_INVALID"),
    ] {
        if let Some(sign_out_request::Credential::RefreshToken(token)) = &request.credential
            && *token == issued.refresh_token
        {
            continue;
        }
        assert_eq!(refusal(sign_out(&app, request).await), (code, wanted.to_owned()));
    }
    assert!(refused(&app, &issued).await.is_empty());
}

#[tokio::test]
async fn another_group_signs_nobody_out() {
    let allow = "allow: [sign_in, sign_in.assert, session.read]";
    let app = builder().config(&callers(&[caller("shop", allow), caller("other", allow)])).start().await;
    let mut client = app.auth.clone();
    let grant = allowed(client.sign_in(with_key(profile("ada"), &key("shop"))).await).grant.unwrap();
    let request = gatepass::grpc::proto::v1::IssueTokenRequest { grant, ..Default::default() };
    let issued = client.issue_token(with_key(request, &key("shop"))).await.unwrap().into_inner();
    let refused = refusal(client.sign_out(with_key(by_access(&issued.access_token), &key("other"))).await);
    assert_eq!(refused, (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned()));
    let refused = refusal(client.sign_out(with_key(by_refresh(&issued.refresh_token), &key("other"))).await);
    assert_eq!(refused, (Code::Unauthenticated, "REFRESH_INVALID".to_owned()));
    let ended = client.sign_out(with_key(by_refresh(&issued.refresh_token), &key("shop"))).await.unwrap();
    assert_eq!(ended.into_inner().sessions_ended, 1);
}
