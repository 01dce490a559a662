//! `IssueToken`: a grant becomes the first two tokens of its session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::auth::{Callback, JwtDecision};
use gatepass::grpc::proto::v1::{Client, IssueTokenRequest, IssueTokenResponse, ProfileCredential, Rotation};
use prost_types::value::Kind;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::callers::{caller, callers, key};
use crate::support::crowd::{at_once, patient};
use crate::support::hooks::{Hooks, claims, on_jwt};
use crate::support::jwt::decode;
use crate::support::strategy::also_with_references;
use crate::support::{
    START, TestApp, allowed, app, builder, credential, fields, profile, proto_time, reason, redeeming,
    refusal, with_key,
};

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);

fn request(grant: &str, audiences: &[&str]) -> IssueTokenRequest {
    let audiences = audiences.iter().map(|audience| (*audience).to_owned()).collect();
    IssueTokenRequest { audiences, ..redeeming(grant) }
}

async fn issue_for(app: &TestApp, audiences: &[&str]) -> Result<IssueTokenResponse, Status> {
    let grant = app.sign_in("ada").await.grant.unwrap();
    app.issue_token(request(&grant, audiences)).await
}

#[tokio::test]
async fn a_grant_is_redeemed_once() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let issued = app.issue(&grant).await.unwrap();
    assert_eq!(issued.rotation(), Rotation::Issued);
    assert_eq!(issued.token_type, "Bearer");
    assert_eq!(reason(app.issue(&grant).await), "GRANT_USED");
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS"]);
}

#[tokio::test]
async fn what_no_sign_in_answered_is_no_grant() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let unknown = format!("gpg_{}", "A".repeat(43));
    let cut = &grant[..grant.len() - 1];
    let padded = format!("{grant}=");
    for text in ["", "gpg_", "grant", &unknown, cut, &padded, &grant[4..], &grant.to_uppercase()] {
        let wanted = (Code::Unauthenticated, "GRANT_INVALID".to_owned());
        assert_eq!(refusal(app.issue(text).await), wanted, "{text}");
    }
    app.issue(&grant).await.unwrap();
}

#[tokio::test]
async fn a_grant_lives_for_sixty_seconds() {
    let app = app().await;
    let [early, late] =
        [app.sign_in("ada").await, app.sign_in("ada").await].map(|allowed| allowed.grant.unwrap());
    app.clock.advance(Duration::from_millis(59_999));
    app.issue(&early).await.unwrap();
    app.clock.advance(MILLISECOND);
    let wanted = (Code::Unauthenticated, "GRANT_EXPIRED".to_owned());
    assert_eq!(refusal(app.issue(&late).await), wanted);
    assert_eq!(reason(app.issue(&early).await), "GRANT_USED");
}

#[tokio::test]
async fn a_grant_is_no_grant_to_another_group() {
    let allow = "allow: [sign_in, sign_in.assert]";
    let app = builder().config(&callers(&[caller("web", allow), caller("mobile", allow)])).start().await;
    let mut auth = app.auth.clone();
    let grant = allowed(auth.sign_in(with_key(profile("ada"), &key("web"))).await).grant.unwrap();
    let foreign = auth.issue_token(with_key(request(&grant, &[]), &key("mobile"))).await;
    assert_eq!(refusal(foreign), (Code::Unauthenticated, "GRANT_INVALID".to_owned()));
    auth.issue_token(with_key(request(&grant, &[]), &key("web"))).await.unwrap();
    let foreign = auth.issue_token(with_key(request(&grant, &[]), &key("mobile"))).await;
    assert_eq!(reason(foreign), "GRANT_INVALID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_redemptions_at_once_one_wins() {
    let app = patient().start().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let answers = at_once(50, |_| {
        let (mut auth, request) = (app.auth.clone(), request(&grant, &[]));
        async move { auth.issue_token(request).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert!(lost.into_iter().all(|answer| reason(answer) == "GRANT_USED"));
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS"]);
    app.refresh(&won.into_iter().next().unwrap().unwrap().into_inner().refresh_token).await.unwrap();
}

#[tokio::test]
async fn tokens_are_for_the_audiences_asked_for_or_for_all() {
    let app = builder().config("tokens: {audiences: [web, api, admin]}").start().await;
    for (asked, wanted) in [
        (&[][..], &["web", "api", "admin"][..]),
        (&["api"], &["api"]),
        (&["admin", "web"], &["admin", "web"]),
        (&["api", "api"], &["api"]),
    ] {
        let issued = issue_for(&app, asked).await.unwrap();
        assert_eq!(decode(&issued.access_token).1["aud"], json!(wanted), "{asked:?}");
    }
    let many = vec!["web"; 65];
    for asked in [&["other"][..], &["web", "other"], &["WEB"], &[""], &many] {
        let answer = issue_for(&app, asked).await;
        assert_eq!(fields(answer), ["audiences"], "{asked:?}");
    }
}

#[tokio::test]
async fn a_bad_audience_or_address_spends_nothing() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let mut auth = app.auth.clone();
    assert_eq!(fields(auth.issue_token(request(&grant, &["other"])).await), ["audiences"]);
    let client = Some(Client { ip_address: Some("nowhere".to_owned()), user_agent: None });
    let answer = auth.issue_token(IssueTokenRequest { client, ..request(&grant, &[]) }).await;
    assert_eq!(fields(answer), ["client.ip_address"]);
    let answer =
        auth.issue_token(IssueTokenRequest { request_id: "short".to_owned(), ..request(&grant, &[]) }).await;
    assert_eq!(fields(answer), ["request_id"]);
    app.issue(&grant).await.unwrap();
}

#[tokio::test]
async fn an_access_token_says_what_the_contract_says() {
    let hooks = on_jwt(|_| Ok(claims(json!({"tenant": "t1", "limits": {"seats": 3, "ratio": 0.5}}))));
    let app = builder().config("issuer: 'https://auth.example.com'").callbacks(hooks).start().await;
    app.clock.advance(Duration::from_millis(700));
    let signed_in = app
        .try_sign_in(credential(ProfileCredential {
            provider: "google".to_owned(),
            provider_account_id: "1".to_owned(),
            email: Some("ada@example.com".to_owned()),
            email_verified: true,
            name: Some("Ada".to_owned()),
            image: Some("https://example.com/ada.png".to_owned()),
            raw: None,
        }))
        .await;
    let allowed = allowed(signed_in);
    app.clock.advance(Duration::from_millis(30_900));
    let issued = app.issue(&allowed.grant.unwrap()).await.unwrap();
    let (header, mut token) = decode(&issued.access_token);
    let kid = header["kid"].as_str().unwrap();
    assert!(!kid.is_empty());
    assert_eq!(header, json!({"alg": "ES256", "typ": "at+jwt", "kid": kid}));
    let id = |value: &Value| value.as_str().unwrap().parse::<uuid::Uuid>().unwrap().get_version_num();
    assert_eq!((id(&token["jti"]), id(&token["sid"])), (7, 7));
    let start = START.seconds();
    let session_end = start + 31 + 30 * 24 * 60 * 60;
    let session = issued.session.unwrap();
    assert_eq!(token["sid"], json!(session.id));
    token["jti"].take();
    let wanted = json!({
        "iss": "https://auth.example.com",
        "sub": allowed.user.unwrap().id,
        "aud": ["gatepass"],
        "exp": start + 31 + 15 * 60,
        "iat": start + 31,
        "jti": null,
        "sid": session.id,
        "auth_time": start,
        "client_id": "local",
        "epoch": 0,
        "provider": "google",
        "session_exp": session_end,
        "name": "Ada",
        "email": "ada@example.com",
        "email_verified": true,
        "picture": "https://example.com/ada.png",
        "role": "user",
        "tenant": "t1",
        "limits": {"seats": 3, "ratio": 0.5},
    });
    assert_eq!(token, wanted);
    let seconds = |at: Option<prost_types::Timestamp>| at.map(|at| (at.seconds, at.nanos)).unwrap();
    assert_eq!(seconds(issued.access_token_expires_at), (start + 31 + 15 * 60, 0));
    assert_eq!(seconds(session.access_token_expires_at), (start + 31 + 15 * 60, 0));
    assert_eq!(seconds(issued.refresh_token_expires_at), (session_end, 0));
    assert_eq!(seconds(session.expires_at), (session_end, 0));
    assert_eq!(seconds(session.authenticated_at), (start, 0));
    assert_eq!(session.provider.as_deref(), Some("google"));
    let read = app.session(&issued.access_token).await.unwrap().session.unwrap();
    assert_eq!(read.claims.unwrap().fields["tenant"].kind, Some(Kind::StringValue("t1".to_owned())));
}

#[tokio::test]
async fn a_token_contains_the_configured_claims_of_its_user() {
    let app = builder().config("tokens: {user_claims: [role]}").start().await;
    let (_, token) = decode(&app.tokens("ada").await.access_token);
    let names: Vec<&str> = token.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "aud",
        "auth_time",
        "client_id",
        "epoch",
        "exp",
        "iat",
        "iss",
        "jti",
        "provider",
        "role",
        "session_exp",
        "sid",
        "sub",
    ];
    assert_eq!(names, wanted);
}

#[tokio::test]
async fn a_token_ends_no_later_than_its_session() {
    let app = builder().config("session: {idle_ttl: 5m, max_age: 10m}").start().await;
    app.clock.advance(Duration::from_millis(999));
    let issued = app.tokens("ada").await;
    let (_, token) = decode(&issued.access_token);
    let end = Some(proto_time(START.plus(5 * MINUTE)));
    assert_eq!(token["exp"], json!(START.plus(5 * MINUTE).seconds()));
    assert_eq!(token["session_exp"], token["exp"]);
    assert_eq!((issued.access_token_expires_at, issued.refresh_token_expires_at), (end, end));
}

#[tokio::test]
async fn a_jwt_callback_sees_account_and_profile_and_whether_the_user_is_new() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let hooks = on_jwt(move |input| {
        record.lock().unwrap().push((
            input.trigger.name(),
            input.user.id.to_string(),
            input.session_id.to_string(),
            input.account.map(|account| account.provider_account_id.as_str().to_owned()),
            input.profile.map(|profile| profile["email"].clone()),
            input.claims.len() + input.update.len(),
        ));
        Ok(claims(json!({"seen": true})))
    });
    let app = builder().callbacks(hooks).start().await;
    let mut wanted = Vec::new();
    for trigger in ["SIGN_UP", "SIGN_IN"] {
        let issued = app.tokens("ada").await;
        let session = issued.session.unwrap();
        let (user, email) = (session.user.unwrap().id.unwrap(), Some(json!("ada@example.com")));
        wanted.push((trigger, user, session.id.unwrap(), Some("ada".to_owned()), email, 0));
        assert_eq!(decode(&issued.access_token).1["seen"], json!(true));
        assert_eq!(session.claims.unwrap().fields["seen"].kind, Some(Kind::BoolValue(true)));
    }
    assert_eq!(*seen.lock().unwrap(), wanted);
}

#[tokio::test]
async fn a_jwt_callback_that_denies_ends_the_pending_session() {
    let app =
        builder().callbacks(on_jwt(|_| Ok(JwtDecision::Deny(Some("no seat left".to_owned()))))).start().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let status = app.issue(&grant).await.unwrap_err();
    assert!(status.message().contains("no seat left"), "{status:?}");
    assert_eq!(refusal::<()>(Err(status)), (Code::PermissionDenied, "CALLBACK_DENIED".to_owned()));
    let ended = app.query("SELECT end_reason, pending AS pending FROM sessions").await;
    assert_eq!(ended, [["DENIED", ""]]);
    assert_eq!(reason(app.issue(&grant).await), "GRANT_USED");
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_DENIED DENIED CALLBACK_DENIED"]);
}

/// The answer of a `jwt` callback, or the reason why it fails.
type Answer = Box<dyn Fn() -> Result<Value, &'static str> + Send + Sync>;

/// Builds a `jwt` callback that answers `first` until the test lets it succeed.
fn mending(
    first: impl Fn() -> Result<Value, &'static str> + Send + Sync + 'static,
) -> (Hooks, Arc<AtomicBool>) {
    let good = Arc::new(AtomicBool::new(false));
    let is_good = Arc::clone(&good);
    let hooks = on_jwt(move |_| {
        if is_good.load(Ordering::SeqCst) {
            return Ok(claims(json!({"tenant": "t1"})));
        }
        first().map(claims).map_err(|cause| Callback::Jwt.failed(cause))
    });
    (hooks, good)
}

#[tokio::test]
async fn a_jwt_callback_that_errs_spends_nothing() {
    let unavailable = (Code::Unavailable, "CALLBACK_UNAVAILABLE");
    let too_large = (Code::FailedPrecondition, "CLAIMS_TOO_LARGE");
    let reserved = ["sub", "exp", "sid", "epoch", "role", "email", "roles", "cnf", "session_exp"];
    let mut cases: Vec<(String, (Code, &str), Answer)> = vec![
        ("fails".to_owned(), unavailable, Box::new(|| Err("10.1.2.3 refused"))),
        ("beyond 2^53".to_owned(), unavailable, Box::new(|| Ok(json!({"n": (1_u64 << 53) + 1})))),
        ("an empty name".to_owned(), unavailable, Box::new(|| Ok(json!({"": 1})))),
        ("more than a token".to_owned(), too_large, Box::new(|| Ok(json!({"a": "x".repeat(4 * 1024)})))),
        ("more than a session".to_owned(), too_large, Box::new(|| Ok(json!({"a": "x".repeat(9 * 1024)})))),
    ];
    for name in reserved {
        cases.push((name.to_owned(), unavailable, Box::new(move || Ok(json!({name: "x"})))));
    }
    for (what, (code, why), first) in cases {
        let (hooks, good) = mending(first);
        let app = builder().callbacks(hooks).start().await;
        let grant = app.sign_in("ada").await.grant.unwrap();
        for _ in 0..2 {
            let status = app.issue(&grant).await.expect_err(&what);
            assert!(!status.message().contains("10.1.2.3"), "{what}");
            let retry = status.get_error_details().retry_info().is_some();
            assert_eq!(retry, code == Code::Unavailable, "{what}");
            assert_eq!(refusal::<()>(Err(status)), (code, why.to_owned()), "{what}");
        }
        good.store(true, Ordering::SeqCst);
        let issued = app.issue(&grant).await.unwrap();
        assert_eq!(decode(&issued.access_token).1["tenant"], json!("t1"), "{what}");
        assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS"], "{what}");
    }
}

#[tokio::test]
async fn a_user_banned_meanwhile_gets_no_tokens() {
    let app = app().await;
    let allowed = app.sign_in("ada").await;
    let (grant, user_id) = (allowed.grant.unwrap(), allowed.user.unwrap().id);
    app.ban(&user_id).await;
    assert_eq!(refusal(app.issue(&grant).await), (Code::Unauthenticated, "USER_BANNED".to_owned()));
    app.unban(&user_id).await;
    assert_eq!(refusal(app.issue(&grant).await), (Code::Unauthenticated, "SESSION_REVOKED".to_owned()));
}

#[tokio::test]
async fn a_session_ended_meanwhile_gets_no_tokens() {
    let app = app().await;
    let first = app.sign_in("ada").await;
    let session_id = app.session_ids().await.remove(0);
    app.revoke_session(&session_id).await.unwrap();
    let second = app.sign_in("ada").await;
    let user_id = second.user.unwrap().id;
    assert_eq!(reason(app.issue(&first.grant.unwrap()).await), "SESSION_REVOKED");
    let answer = app.revoke_user_sessions(&user_id).await.unwrap();
    // A session with an unredeemed grant is not live yet.
    assert_eq!(answer, 0);
    assert_eq!(reason(app.issue(&second.grant.unwrap()).await), "SESSION_REVOKED");
    app.tokens("ada").await;
}

also_with_references!(
    a_grant_is_redeemed_once,
    of_fifty_redemptions_at_once_one_wins,
    a_bad_audience_or_address_spends_nothing,
    a_jwt_callback_that_denies_ends_the_pending_session,
    a_user_banned_meanwhile_gets_no_tokens,
    a_session_ended_meanwhile_gets_no_tokens,
);
