//! `GetSession`: what an access token says, if it still counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gatepass::auth::{Callback, CallbackResult, Callbacks, SessionInput};
use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetSessionResponse, RevokeUserSessionsRequest, SessionSource, SignOutRequest,
    get_session_request, sign_out_request,
};
use gatepass::model::ClaimMap;
use prost_types::value::Kind;
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::support::{KEYS, START, TestApp, app, builder, reason, refusal, tokens};

fn asking(token: &str) -> GetSessionRequest {
    let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
    GetSessionRequest { credential, ..Default::default() }
}

async fn read(app: &TestApp, token: &str) -> Result<GetSessionResponse, Status> {
    app.auth.clone().get_session(asking(token)).await.map(Response::into_inner)
}

#[tokio::test]
async fn a_session_is_told_as_it_was_issued_cold_and_warm() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let cold = read(&app, &issued.access_token).await.unwrap();
    let warm = read(&app, &issued.access_token).await.unwrap();
    assert_eq!(cold.session, issued.session);
    assert_eq!(warm.session, issued.session);
    let session = cold.session.unwrap();
    assert_eq!(session.source(), SessionSource::Gatepass);
    assert_eq!(session.expires_at, issued.refresh_token_expires_at);
    assert_eq!(session.access_token_expires_at, issued.access_token_expires_at);
    assert_eq!(session.authenticated_at.unwrap().seconds, START.seconds());
    assert_eq!(cold.revocations_checked_at.unwrap().seconds, START.seconds());
}

#[tokio::test]
async fn only_configured_claims_tell_of_the_user() {
    let app = builder().config("tokens: {user_claims: [role]}").start().await;
    let issued = app.tokens("ada").await;
    let user = read(&app, &issued.access_token).await.unwrap().session.unwrap().user.unwrap();
    assert_eq!((user.name, user.email, user.role.as_deref()), (None, None, Some("user")));
}

#[tokio::test]
async fn a_revocation_holds_at_once_for_tokens_that_were_read_before() {
    let app = app().await;
    let (one, all) = (app.tokens("one").await, app.tokens("all").await);
    let other = app.tokens("other").await;
    for issued in [&one, &all, &other] {
        read(&app, &issued.access_token).await.unwrap();
    }
    let credential = Some(sign_out_request::Credential::AccessToken(one.access_token.clone()));
    app.auth.clone().sign_out(SignOutRequest { credential, ..Default::default() }).await.unwrap();
    let user_id = all.session.unwrap().user.unwrap().id.unwrap();
    app.admin.clone().revoke_user_sessions(RevokeUserSessionsRequest { user_id }).await.unwrap();
    for token in [&one.access_token, &all.access_token] {
        assert_eq!(reason(read(&app, token).await), "SESSION_REVOKED");
    }
    read(&app, &other.access_token).await.unwrap();
    // What is revoked stays so over a restart.
    let app = app.restart(|yaml| yaml).await;
    for token in [&one.access_token, &all.access_token] {
        assert_eq!(reason(read(&app, token).await), "SESSION_REVOKED");
    }
    read(&app, &other.access_token).await.unwrap();
}

#[tokio::test]
async fn a_token_of_a_key_that_is_gone_counts_no_longer() {
    let app = builder().config(&tokens("")).start().await;
    let token = app.tokens("ada").await.access_token;
    read(&app, &token).await.unwrap();
    let both = format!("['{KEYS}/es256_other.pem', '{KEYS}/es256.pem']");
    let app = app.restart(|yaml| yaml.replace(&format!("['{KEYS}/es256.pem']"), &both)).await;
    read(&app, &token).await.unwrap();
    let newer = app.tokens("ada").await.access_token;
    let app = app.restart(|yaml| yaml.replace(&both, &format!("['{KEYS}/es256_other.pem']"))).await;
    assert_eq!(reason(read(&app, &token).await), "TOKEN_SIGNATURE_INVALID");
    read(&app, &newer).await.unwrap();
}

#[tokio::test]
async fn every_algorithm_signs_and_verifies() {
    for (algorithm, key) in
        [("ES256", "es256"), ("ES384", "es384"), ("EdDSA", "eddsa"), ("PS256", "rsa"), ("RS256", "rsa")]
    {
        let config = format!("tokens: {{algorithm: {algorithm}, signing_keys: ['{KEYS}/{key}.pem']}}");
        let app = builder().config(&config).start().await;
        let issued = app.tokens("ada").await;
        assert_eq!(read(&app, &issued.access_token).await.unwrap().session, issued.session, "{algorithm}");
    }
}

#[tokio::test]
async fn a_request_that_asks_for_nothing_is_told_what_it_lacks() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    let mut client = app.auth.clone();
    let invalid = (Code::InvalidArgument, "INVALID_REQUEST".to_owned());
    assert_eq!(refusal(client.get_session(GetSessionRequest::default()).await), invalid);
    let negative = Some(prost_types::Duration { seconds: -1, nanos: 0 });
    let request = GetSessionRequest { max_staleness: negative, ..asking(&token) };
    assert_eq!(refusal(client.get_session(request).await), invalid);
    let credential = Some(get_session_request::Credential::CookieHeader("authjs.session-token=x".to_owned()));
    let cookie = GetSessionRequest { credential, ..Default::default() };
    assert_eq!(
        refusal(client.get_session(cookie).await),
        (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned())
    );
    assert_eq!(refusal(read(&app, "").await), (Code::Unauthenticated, "TOKEN_MALFORMED".to_owned()));
    let patient = GetSessionRequest {
        max_staleness: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
        ..asking(&token)
    };
    client.get_session(patient).await.unwrap();
}

/// A `session` callback that greets, or breaks.
struct Greeting(Arc<AtomicBool>);

#[async_trait]
impl Callbacks for Greeting {
    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        if self.0.load(Ordering::SeqCst) {
            return Err(Callback::Session.failed("it broke"));
        }
        let name = input.session.user.name.clone().unwrap_or_default();
        Ok(ClaimMap::from_iter([("greeting".to_owned(), json!(format!("Hello, {name}")))]))
    }

    fn has(&self, callback: Callback) -> bool {
        callback == Callback::Session
    }
}

#[tokio::test]
async fn a_session_callback_adds_to_the_answer_and_not_to_the_token() {
    let breaks = Arc::new(AtomicBool::new(false));
    let app = builder().callbacks(Greeting(Arc::clone(&breaks))).start().await;
    let issued = app.tokens("ada").await;
    let answer = read(&app, &issued.access_token).await.unwrap();
    assert_eq!(answer.session, issued.session);
    let claims = answer.session.unwrap().claims.unwrap().fields;
    assert_eq!(claims["greeting"].kind, Some(Kind::StringValue("Hello, ada".to_owned())));
    assert!(!issued.access_token.contains(&base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        "\"greeting\""
    )));
    breaks.store(true, Ordering::SeqCst);
    let refused = refusal(read(&app, &issued.access_token).await);
    assert_eq!(refused, (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned()));
}

#[tokio::test]
async fn an_access_token_lives_as_long_as_configured() {
    let app = builder().config("tokens: {access_ttl: 1m, clock_leeway: 0s}").start().await;
    let token = app.tokens("ada").await.access_token;
    app.clock.advance(Duration::from_millis(59_999));
    read(&app, &token).await.unwrap();
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(reason(read(&app, &token).await), "TOKEN_EXPIRED");
}
