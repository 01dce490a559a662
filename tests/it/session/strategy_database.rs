//! `session.strategy: database`: access tokens that name a session. The files of the RPCs test both kinds of token
//! under both strategies. This file tests references only, and tokens of one strategy under the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetSessionResponse, IssueTokenRequest, RefreshTokenRequest, RefreshTokenResponse,
    Rotation, Session, SignOutRequest, User, get_session_request, sign_out_request,
};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::support::hooks::{Hooks, claims, object, on_jwt, on_session};
use crate::support::strategy::with_strategy;
use crate::support::{Builder, START, TestApp, builder, reason, refusal, tokens};

const STRATEGIES: [&str; 2] = ["jwt", "database"];

fn database() -> Builder {
    builder().config("session: {strategy: database}")
}

async fn ask(app: &TestApp, token: &str, audience: &str) -> Result<GetSessionResponse, Status> {
    let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
    let request =
        GetSessionRequest { credential, audience: audience.to_owned(), ..GetSessionRequest::default() };
    app.auth.clone().get_session(request).await.map(Response::into_inner)
}

async fn refresh(app: &TestApp, request: RefreshTokenRequest) -> RefreshTokenResponse {
    app.auth.clone().refresh_token(request).await.unwrap().into_inner()
}

async fn sign_out(app: &TestApp, token: &str) -> i32 {
    let credential = Some(sign_out_request::Credential::AccessToken(token.to_owned()));
    let request = SignOutRequest { credential, ..SignOutRequest::default() };
    app.auth.clone().sign_out(request).await.unwrap().into_inner().sessions_ended
}

fn user_id(session: Option<&Session>) -> String {
    session.unwrap().user.clone().unwrap().id.unwrap()
}

async fn set_role(app: &TestApp, id: &str, role: &str) {
    let user = User { id: id.to_owned(), role: role.to_owned(), ..User::default() };
    app.update(user, &["role"]).await.unwrap();
}

/// Returns a claim of a session as text.
fn told(session: Option<Session>, claim: &str) -> String {
    let kind = session.unwrap().claims.unwrap().fields.remove(claim).unwrap().kind.unwrap();
    match kind {
        Kind::StringValue(text) => text,
        other => format!("{other:?}"),
    }
}

/// Builds a `jwt` callback that counts its calls in the session, and records the role in a claim.
fn counting() -> Hooks {
    on_jwt(|input| {
        let count = input.claims.get("count").and_then(serde_json::Value::as_i64).unwrap_or(0) + 1;
        Ok(claims(json!({"count": count, "may": format!("what {} may", input.user.role)})))
    })
}

#[tokio::test]
async fn an_access_token_names_its_session_and_no_user() {
    let app = database().callbacks(counting()).start().await;
    let issued = app.tokens("ada").await;
    let token = &issued.access_token;
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("gps_").unwrap()).unwrap();
    let session = issued.session.clone().unwrap();
    assert_eq!(uuid::Uuid::from_slice(&bytes[8..24]).unwrap().to_string(), session.id.unwrap());
    assert_eq!(bytes.len(), 8 + 16 + 8 + 8 + 8 + 1 + "gatepass".len() + 32);
    for known in ["ada", "count", "github"] {
        assert!(!bytes.windows(known.len()).any(|part| part == known.as_bytes()), "{known}");
    }
    assert_eq!(issued.access_token_expires_at.unwrap().seconds, START.seconds() + 900);
    assert_eq!(app.session(token).await.unwrap().session, issued.session);
}

#[tokio::test]
async fn claims_too_heavy_for_a_jwt_go_with_a_reference() {
    for (bytes, under_jwt, under_database) in
        [(2_000, true, true), (7_000, false, true), (9_000, false, false)]
    {
        for (strategy, fits) in STRATEGIES.into_iter().zip([under_jwt, under_database]) {
            let hooks = on_jwt(move |input| {
                let more = if input.trigger.name() == "UPDATE" { "y" } else { "x" };
                Ok(claims(json!({"heavy": more.repeat(bytes)})))
            });
            let app = builder().config(&format!("session: {{strategy: {strategy}}}")).callbacks(hooks);
            let app = app.start().await;
            let grant = app.sign_in("ada").await.grant.unwrap();
            let answer = app.issue(&grant).await;
            if !fits {
                let too_large = (Code::FailedPrecondition, "CLAIMS_TOO_LARGE".to_owned());
                assert_eq!(refusal(answer), too_large, "{strategy} {bytes}");
                continue;
            }
            let issued = answer.unwrap();
            assert_eq!(told(issued.session.clone(), "heavy"), "x".repeat(bytes));
            assert_eq!(app.session(&issued.access_token).await.unwrap().session, issued.session);
            let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
            assert_eq!(told(refreshed.session.clone(), "heavy"), "y".repeat(bytes));
            assert_eq!(app.session(&refreshed.access_token).await.unwrap().session, refreshed.session);
        }
    }
}

#[tokio::test]
async fn both_kinds_are_read_under_either_strategy() {
    let app = builder().config(&tokens("")).config("session: {strategy: jwt}").start().await;
    let first = app.tokens("ada").await;
    assert!(first.access_token.starts_with("eyJ"));
    let to = |from: &'static str, to: &str| {
        let to = format!("strategy: {to}");
        move |yaml: String| yaml.replace(&format!("strategy: {from}"), &to)
    };
    let app = app.restart(to("jwt", "database")).await;
    let second = app.refresh(&first.refresh_token).await.unwrap();
    assert!(second.access_token.starts_with("gps_"));
    let both = [(&first.access_token, &first.session), (&second.access_token, &second.session)];
    for (token, session) in both {
        assert_eq!(app.session(token).await.unwrap().session, *session);
    }
    let app = app.restart(to("database", "jwt")).await;
    for (token, session) in both {
        assert_eq!(app.session(token).await.unwrap().session, *session);
    }
    let third = app.refresh(&second.refresh_token).await.unwrap();
    assert!(third.access_token.starts_with("eyJ"));
    // All these tokens name one session.
    assert_eq!(sign_out(&app, &second.access_token).await, 1);
    for token in [&first.access_token, &second.access_token, &third.access_token] {
        assert_eq!(reason(app.session(token).await), "SESSION_REVOKED");
        assert_eq!(sign_out(&app, token).await, 0);
    }
}

#[tokio::test]
async fn a_reference_survives_a_refresh_and_tells_what_the_session_keeps_since() {
    let app = database().callbacks(counting()).start().await;
    let issued = app.tokens("ada").await;
    app.clock.advance(Duration::from_mins(10));
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(told(refreshed.session.clone(), "count"), "NumberValue(2.0)");
    assert_eq!(app.session(&refreshed.access_token).await.unwrap().session, refreshed.session);
    // The sessions are equal except for the end of the access token.
    let old = app.session(&issued.access_token).await.unwrap().session.unwrap();
    let access_token_expires_at = issued.access_token_expires_at;
    assert_eq!(old, Session { access_token_expires_at, ..refreshed.session.unwrap() });
    app.clock.advance(Duration::from_secs(310));
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_EXPIRED");
    app.session(&refreshed.access_token).await.unwrap();
}

#[tokio::test]
async fn what_a_replay_answers_is_what_the_session_keeps() {
    let app = database().callbacks(counting()).start().await;
    let issued = app.tokens("ada").await;
    let rotated = app.refresh(&issued.refresh_token).await.unwrap();
    let replayed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(replayed.rotation(), Rotation::Replayed);
    assert_eq!(replayed.session, rotated.session);
    assert_eq!(app.session(&replayed.access_token).await.unwrap().session, replayed.session);
}

#[tokio::test]
async fn claims_of_another_role_are_stale_in_every_reference_until_a_refresh() {
    let app = database().callbacks(counting()).start().await;
    let first = app.tokens("ada").await;
    let id = user_id(first.session.as_ref());
    set_role(&app, &id, "admin").await;
    assert_eq!(reason(app.session(&first.access_token).await), "TOKEN_STALE");
    let second = app.refresh(&first.refresh_token).await.unwrap();
    // The first token names the same session, whose claims are now those of an administrator.
    for token in [&second.access_token, &first.access_token] {
        let session = app.session(token).await.unwrap().session;
        assert_eq!(told(session, "may"), "what admin may");
    }
    // The role is again that of the first token; the claims are not.
    set_role(&app, &id, "user").await;
    for token in [&first.access_token, &second.access_token] {
        let refused = refusal(app.session(token).await);
        assert_eq!(refused, (Code::Unauthenticated, "TOKEN_STALE".to_owned()));
    }
    let third = app.refresh(&second.refresh_token).await.unwrap();
    for token in [&third.access_token, &second.access_token, &first.access_token] {
        assert_eq!(told(app.session(token).await.unwrap().session, "may"), "what user may");
    }
}

#[tokio::test]
async fn a_replay_makes_the_claims_anew_when_the_role_changed_meanwhile() {
    for strategy in STRATEGIES {
        let app = builder().config(&format!("session: {{strategy: {strategy}}}")).callbacks(counting());
        let app = app.start().await;
        let issued = app.tokens("ada").await;
        app.refresh(&issued.refresh_token).await.unwrap();
        set_role(&app, &user_id(issued.session.as_ref()), "admin").await;
        let replayed = app.refresh(&issued.refresh_token).await.unwrap();
        assert_eq!(replayed.rotation(), Rotation::Replayed, "{strategy}");
        assert_eq!(told(replayed.session.clone(), "may"), "what admin may", "{strategy}");
        assert_eq!(app.session(&replayed.access_token).await.unwrap().session, replayed.session);
        let kept = app.query("SELECT claims_role, claims FROM sessions").await.remove(0);
        assert_eq!(kept[0], "admin", "{strategy}");
        assert!(kept[1].contains("what admin may"), "{strategy}");
    }
}

#[tokio::test]
async fn an_answer_given_again_after_a_change_of_role_is_stale_as_the_first_is() {
    for strategy in STRATEGIES {
        let app = builder().config(&format!("session: {{strategy: {strategy}}}")).callbacks(counting());
        let app = app.start().await;
        let allowed = app.sign_in("ada").await;
        let request_id = "0123456789abcdef0123456789abcdef".to_owned();
        let request = IssueTokenRequest { grant: allowed.grant.unwrap(), request_id, ..Default::default() };
        let issue = async || app.auth.clone().issue_token(request.clone()).await.unwrap().into_inner();
        issue().await;
        set_role(&app, &allowed.user.unwrap().id, "admin").await;
        let again = issue().await;
        assert_eq!(told(again.session, "may"), "what user may", "{strategy}");
        assert_eq!(reason(app.session(&again.access_token).await), "TOKEN_STALE", "{strategy}");
    }
}

#[tokio::test]
async fn claims_of_an_unknown_role_are_stale() {
    let app = database().callbacks(counting()).start().await;
    let issued = app.tokens("ada").await;
    // Rows of an earlier version look like this.
    app.query("UPDATE sessions SET claims_role = NULL").await;
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_STALE");
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    app.session(&refreshed.access_token).await.unwrap();
}

#[tokio::test]
async fn a_role_means_nothing_to_claims_where_no_jwt_callback_makes_any() {
    let app = database().start().await;
    let issued = app.tokens("ada").await;
    set_role(&app, &user_id(issued.session.as_ref()), "admin").await;
    let user = app.session(&issued.access_token).await.unwrap().session.unwrap().user.unwrap();
    assert_eq!(user.role.as_deref(), Some("admin"));
}

#[tokio::test]
async fn a_reference_is_for_its_audiences_only() {
    let app = database().config("tokens: {audiences: [shop, blog]}").start().await;
    let issued = app.tokens("ada").await;
    let audiences = vec!["shop".to_owned()];
    let request =
        RefreshTokenRequest { refresh_token: issued.refresh_token, audiences, ..Default::default() };
    let shop = refresh(&app, request).await;
    for (token, audience) in
        [(&issued.access_token, ""), (&issued.access_token, "blog"), (&shop.access_token, "shop")]
    {
        ask(&app, token, audience).await.unwrap();
    }
    for audience in ["blog", "sho", "SHOP", "shop\u{0}"] {
        let refused = refusal(ask(&app, &shop.access_token, audience).await);
        assert_eq!(refused, (Code::Unauthenticated, "TOKEN_AUDIENCE_MISMATCH".to_owned()), "{audience}");
    }
    let app = app.restart(|yaml| yaml.replace("[shop, blog]", "[blog]")).await;
    assert_eq!(reason(ask(&app, &shop.access_token, "").await), "TOKEN_AUDIENCE_MISMATCH");
    ask(&app, &issued.access_token, "").await.unwrap();
}

#[tokio::test]
async fn a_reference_ends_with_its_session() {
    let app = builder().config("session: {strategy: database, idle_ttl: 5m}").start().await;
    let issued = app.tokens("ada").await;
    assert_eq!(issued.access_token_expires_at, issued.refresh_token_expires_at);
    app.clock.advance(Duration::from_millis(5 * 60_000 + 9_999));
    app.session(&issued.access_token).await.unwrap();
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn secrets_can_be_rotated_without_losing_a_reference() {
    const OLD: &str = "'the first secret of a test, long enough'";
    const NEW: &str = "'the second secret of a test, long too'";
    let app = database().config(&tokens("")).start().await;
    let first = app.tokens("ada").await;
    let app = app.restart(|yaml| yaml.replace(OLD, &format!("{OLD}, {NEW}"))).await;
    app.session(&first.access_token).await.unwrap();
    let app = app.restart(|yaml| yaml.replace(&format!("{OLD}, {NEW}"), &format!("{NEW}, {OLD}"))).await;
    app.session(&first.access_token).await.unwrap();
    let second = app.refresh(&first.refresh_token).await.unwrap();
    for token in [&first.access_token, &second.access_token] {
        app.session(token).await.unwrap();
    }
    let app = app.restart(|yaml| yaml.replace(&format!(", {OLD}"), "")).await;
    assert_eq!(reason(app.session(&first.access_token).await), "TOKEN_SIGNATURE_INVALID");
    app.session(&second.access_token).await.unwrap();
    assert_eq!(sign_out(&app, &second.access_token).await, 1);
}

/// Records all callback inputs of one session, without ids, which differ between sessions.
async fn inputs(strategy: &str) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (of_jwt, of_session) = (Arc::clone(&seen), Arc::clone(&seen));
    let hooks = on_jwt(move |input| {
        let (user, account) = (input.user, input.account);
        of_jwt.lock().unwrap().push(format!(
            "jwt {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            input.trigger,
            (&user.name, &user.email, user.email_verified, &user.role, user.epoch, user.version),
            account.map(|account| (&account.provider, account.provider_account_id.as_str(), account.kind)),
            input.profile,
            input.claims,
            input.update,
            input.session_id.0.get_version_num(),
        ));
        let count = input.claims.get("count").and_then(serde_json::Value::as_i64).unwrap_or(0) + 1;
        Ok(claims(json!({"count": count, "who": input.user.name})))
    });
    let asked = on_session(move |input| {
        let mut session = input.session.clone();
        assert_eq!(uuid::Uuid::parse_str(&std::mem::take(&mut session.id)).unwrap().get_version_num(), 7);
        assert_eq!(
            uuid::Uuid::parse_str(&std::mem::take(&mut session.user.id)).unwrap().get_version_num(),
            7
        );
        of_session.lock().unwrap().push(format!("session {session:?} {:?}", input.claims));
        Ok(object(json!({"greeting": "hello"})))
    });
    let yaml = with_strategy("session: {update_allow: [theme]}".to_owned(), strategy);
    let app = builder().config(&yaml).callbacks(hooks.and(asked)).start().await;
    let issued = app.tokens("ada").await;
    app.session(&issued.access_token).await.unwrap();
    app.clock.advance(Duration::from_secs(61));
    let fields = [("theme".to_owned(), Value { kind: Some(Kind::StringValue("dark".to_owned())) })];
    let request = RefreshTokenRequest {
        refresh_token: issued.refresh_token,
        update: Some(Struct { fields: fields.into() }),
        ..Default::default()
    };
    let refreshed = refresh(&app, request.clone()).await;
    app.session(&refreshed.access_token).await.unwrap();
    let id = user_id(refreshed.session.as_ref());
    let user = User { id, name: Some("Countess".to_owned()), ..User::default() };
    app.update(user, &["name"]).await.unwrap();
    app.session(&refreshed.access_token).await.unwrap();
    refresh(&app, request).await;
    let last = app.refresh(&refreshed.refresh_token).await.unwrap();
    app.session(&last.access_token).await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test]
async fn callbacks_see_the_same_inputs_under_both_strategies() {
    let [mut jwt, mut database] = [inputs("jwt").await, inputs("database").await];
    // Four calls of `jwt`, four of `session` when tokens are issued, and four when they are read.
    assert_eq!((jwt.len(), database.len()), (12, 12));
    // In the replay `jwt` counted once more. A JWT contains that count; the session does not store it.
    let replay = 8;
    assert!(jwt[replay].starts_with("session") && jwt[replay].contains("Number(3)"), "{}", jwt[replay]);
    assert!(database[replay].contains("Number(2)"), "{}", database[replay]);
    jwt.remove(replay);
    database.remove(replay);
    assert_eq!(jwt, database);
}
