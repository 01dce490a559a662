//! `GetSession`: the session of a valid access token. `token_forgery` tests tokens that were never issued.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::auth::Callback;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenResponse, Session, SessionSource, SignOutRequest, User,
    get_session_request::Credential,
};
use gatepass::model::Clock as _;
use gatepass::model::Timestamp;
use prost_types::value::Kind;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::hooks::{claims, object, on_jwt, on_session};
use crate::support::refresh_tokens::{SECRET, another_successor};
use crate::support::strategy::also_with_references;
use crate::support::{
    KEYS, START, TestApp, app, builder, claims_of, fields, proto_time, reason, refusal,
    signing_out_by_refresh, tokens,
};

/// Decodes a part of a token as JSON.
fn part(token: &str, place: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(place).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn user_of(session: Option<&Session>) -> String {
    session.unwrap().user.clone().unwrap().id.unwrap()
}

#[tokio::test]
async fn a_session_is_told_as_it_was_issued() {
    let app = builder().callbacks(on_jwt(|_| Ok(claims(json!({"tenant": {"id": 7}}))))).start().await;
    app.clock.advance(Duration::from_millis(1_234_567));
    let issued = app.tokens("ada").await;
    let told = app.session(&issued.access_token).await.unwrap();
    assert_eq!(told.session, issued.session);
    let session = told.session.unwrap();
    assert_eq!(session.source(), SessionSource::Gatepass);
    assert_eq!(session.provider.as_deref(), Some("github"));
    assert_eq!(session.access_token_expires_at, issued.access_token_expires_at);
    assert_eq!(session.expires_at, issued.refresh_token_expires_at);
    // A JWT contains only whole seconds.
    let second = START.seconds() + 1234;
    let at = |second| Some(proto_time(Timestamp::from_seconds(second)));
    assert_eq!(session.authenticated_at, at(second));
    assert_eq!(session.access_token_expires_at, at(second + 900));
    assert_eq!(session.expires_at, at(second + 30 * 86_400));
    let user = session.user.unwrap();
    assert_eq!(
        (user.name.as_deref(), user.email.as_deref(), user.email_verified, user.role.as_deref()),
        (Some("ada"), Some("ada@example.com"), true, Some("user"))
    );
}

#[tokio::test]
async fn a_jwt_says_what_its_session_does() {
    let app = builder().callbacks(on_jwt(|_| Ok(claims(json!({"tenant": {"id": 7}}))))).start().await;
    app.clock.advance(Duration::from_millis(1_234_567));
    let issued = app.tokens("ada").await;
    let session = app.session(&issued.access_token).await.unwrap().session.unwrap();
    let second = START.seconds() + 1234;
    let payload = part(&issued.access_token, 1);
    assert_eq!(payload["exp"], second + 900);
    assert_eq!(payload["session_exp"], second + 30 * 86_400);
    assert_eq!(payload["sid"], session.id.unwrap());
    assert_eq!(payload["sub"], session.user.unwrap().id.unwrap());
    assert_eq!(payload["aud"], json!(["gatepass"]));
    assert_eq!(payload["tenant"], json!({"id": 7}));
    assert_eq!(
        part(&issued.access_token, 0).as_object().unwrap().keys().collect::<Vec<_>>(),
        ["alg", "kid", "typ"]
    );
}

#[tokio::test]
async fn it_tells_as_of_when_nothing_revoked_the_session() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    assert_eq!(app.session(&token).await.unwrap().revocations_checked_at, Some(proto_time(START)));
}

#[tokio::test]
async fn a_request_of_another_form_is_refused() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    let ask = async |credential: Option<Credential>, max_staleness: Option<(i64, i32)>| {
        let max_staleness = max_staleness.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos });
        let request = GetSessionRequest { credential, max_staleness, ..Default::default() };
        app.get_session(request).await
    };
    let good = || Some(Credential::AccessToken(token.clone()));
    for negative in [(-1, 0), (0, -1), (1, -1), (i64::MIN, 0), (i64::MIN, i32::MIN)] {
        let answer = ask(good(), Some(negative)).await;
        assert_eq!(answer.as_ref().unwrap_err().code(), Code::InvalidArgument, "{negative:?}");
        assert_eq!(reason(answer.clone()), "INVALID_REQUEST");
        assert_eq!(fields(answer), ["max_staleness"]);
    }
    for enough in [(60, 0), (i64::MAX, 999_999_999)] {
        ask(good(), Some(enough)).await.unwrap();
    }
    // No revocation data is as recent as this very moment.
    assert_eq!(refusal(ask(good(), Some((0, 0))).await), (Code::Unavailable, "REVOCATION_STALE".to_owned()));
    assert_eq!(fields(ask(None, None).await), ["credential"]);
    let cookie = Some(Credential::CookieHeader("authjs.session-token=x".to_owned()));
    assert_eq!(refusal(ask(cookie, None).await), (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned()));
}

/// Ends a session in one of several ways.
async fn end(app: &TestApp, how: &str, issued: &IssueTokenResponse) {
    let (id, user) = (issued.session.clone().unwrap().id.unwrap(), user_of(issued.session.as_ref()));
    match how {
        "sign out" => drop(app.sign_out(&issued.access_token).await.unwrap()),
        "sign out everywhere" => {
            let by_refresh = signing_out_by_refresh(&issued.refresh_token);
            app.sign_out_with(SignOutRequest { everywhere: true, ..by_refresh }).await.unwrap();
        }
        "revoke" => app.revoke_session(&id).await.unwrap(),
        "revoke all" => drop(app.revoke_user_sessions(&user).await.unwrap()),
        "reuse" => {
            app.refresh(&issued.refresh_token).await.unwrap();
            let reused = another_successor(&issued.refresh_token, SECRET);
            assert_eq!(reason(app.refresh(&reused).await), "REFRESH_REUSED");
        }
        _ => {
            app.ban(&user).await;
        }
    }
}

#[tokio::test]
async fn a_session_that_was_ended_is_refused_at_once_and_after_a_restart() {
    const WAYS: [&str; 6] = ["sign out", "sign out everywhere", "revoke", "revoke all", "reuse", "ban"];
    let app = builder().config(&tokens("")).start().await;
    let mut ended = Vec::new();
    let bystander = app.tokens("bystander").await.access_token;
    app.session(&bystander).await.unwrap();
    for how in WAYS {
        let issued = app.tokens(&how.replace(' ', "-")).await;
        let cold = app.tokens(&how.replace(' ', "-")).await.access_token;
        let again = app.refresh(&issued.refresh_token).await.unwrap();
        let issued = IssueTokenResponse { refresh_token: again.refresh_token, ..issued };
        let warm = issued.access_token.clone();
        app.session(&warm).await.unwrap();
        end(&app, how, &issued).await;
        let wanted = if how == "ban" { "USER_BANNED" } else { "SESSION_REVOKED" };
        // The old token and the new one belong to the ended session, whether or not they were read before.
        let mut tokens = vec![warm, again.access_token];
        if ["sign out everywhere", "revoke all", "ban"].contains(&how) {
            tokens.push(cold);
        } else {
            app.session(&cold).await.unwrap();
        }
        ended.extend(tokens.into_iter().map(|token| (how, token, wanted)));
    }
    let check = async |app: &TestApp| {
        for (how, token, wanted) in &ended {
            let refused = refusal(app.session(token).await);
            assert_eq!(refused, (Code::Unauthenticated, (*wanted).to_owned()), "{how}");
        }
        app.session(&bystander).await.unwrap();
    };
    check(&app).await;
    let app = app.restart(|yaml| yaml).await;
    check(&app).await;
    // The check holds until the last moment in which the token could be valid.
    app.clock.advance(Duration::from_millis(909_999));
    check(&app).await;
    app.clock.advance(Duration::from_millis(1));
    for (how, token, _) in &ended {
        assert_eq!(reason(app.session(token).await), "TOKEN_EXPIRED", "{how}");
    }
}

#[tokio::test]
async fn a_ban_that_was_lifted_still_ended_the_sessions() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let user = user_of(issued.session.as_ref());
    app.ban(&user).await;
    assert_eq!(reason(app.session(&issued.access_token).await), "USER_BANNED");
    app.unban(&user).await;
    assert_eq!(reason(app.session(&issued.access_token).await), "SESSION_REVOKED");
    let new = app.tokens("ada").await.access_token;
    app.session(&new).await.unwrap();
}

#[tokio::test]
async fn a_ban_that_ran_out_still_ended_the_sessions() {
    let app = app().await;
    let token = app.tokens("ada").await;
    let end = app.clock.now().plus(Duration::from_mins(1));
    let user = User {
        id: user_of(token.session.as_ref()),
        banned: true,
        ban_expires_at: Some(crate::support::proto_time(end)),
        ..Default::default()
    };
    app.update(user, &["banned", "ban_expires_at"]).await.unwrap();
    assert_eq!(reason(app.session(&token.access_token).await), "USER_BANNED");
    app.clock.advance(Duration::from_mins(1));
    assert_eq!(reason(app.session(&token.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(app.refresh(&token.refresh_token).await), "SESSION_REVOKED");
}

#[tokio::test]
async fn a_changed_user_is_told_as_it_is_now() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    let before = app.session(&token).await.unwrap().session.unwrap();
    let user = User {
        id: user_of(Some(&before)),
        name: Some("Countess".to_owned()),
        email: Some("countess@example.com".to_owned()),
        image: Some("https://example.com/c.png".to_owned()),
        role: "admin".to_owned(),
        ..Default::default()
    };
    app.update(user, &["name", "email", "image", "role"]).await.unwrap();
    let told = app.session(&token).await.unwrap().session.unwrap();
    let user = told.user.clone().unwrap();
    assert_eq!(
        (user.name.as_deref(), user.email.as_deref(), user.email_verified, user.role.as_deref()),
        (Some("Countess"), Some("countess@example.com"), false, Some("admin"))
    );
    assert_eq!(user.image.as_deref(), Some("https://example.com/c.png"));
    // The rest of the session is unchanged.
    assert_eq!(Session { user: None, ..told }, Session { user: None, ..before });
}

#[tokio::test]
async fn a_changed_user_is_told_only_as_far_as_tokens_tell() {
    let app = builder().config(&tokens("user_claims: [name]")).start().await;
    let issued = app.tokens("ada").await;
    let id = user_of(issued.session.as_ref());
    let user = User { id, name: Some("Countess".to_owned()), role: "admin".to_owned(), ..Default::default() };
    app.update(user, &["name", "role"]).await.unwrap();
    let told = app.session(&issued.access_token).await.unwrap().session.unwrap().user.unwrap();
    assert_eq!((told.name.as_deref(), told.role, told.email), (Some("Countess"), None, None));
}

#[tokio::test]
async fn only_configured_claims_tell_of_the_user() {
    let app = builder().config("tokens: {user_claims: [role]}").start().await;
    let issued = app.tokens("ada").await;
    let user = app.session(&issued.access_token).await.unwrap().session.unwrap().user.unwrap();
    assert_eq!((user.name, user.email, user.role.as_deref()), (None, None, Some("user")));
}

#[tokio::test]
async fn an_access_token_lives_as_long_as_configured() {
    let app = builder().config("tokens: {access_ttl: 1m, clock_leeway: 0s}").start().await;
    let token = app.tokens("ada").await.access_token;
    app.clock.advance(Duration::from_millis(59_999));
    app.session(&token).await.unwrap();
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(reason(app.session(&token).await), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_sign_in_that_changed_the_profile_shows_in_older_sessions() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    let mut request = crate::support::profile("ada");
    if let Some(gatepass::grpc::proto::v1::sign_in_request::Credential::Profile(profile)) =
        &mut request.credential
    {
        profile.name = Some("Ada King".to_owned());
    }
    app.try_sign_in(request).await.unwrap();
    let user = app.session(&token).await.unwrap().session.unwrap().user.unwrap();
    assert_eq!(user.name.as_deref(), Some("Ada King"));
}

#[tokio::test]
async fn a_token_whose_claims_were_made_from_another_role_is_stale() {
    let app = builder().callbacks(on_jwt(|input| Ok(claims(json!({"may": input.user.role}))))).start().await;
    let issued = app.tokens("ada").await;
    let user = |role: &str| User {
        id: user_of(issued.session.as_ref()),
        role: role.to_owned(),
        name: Some(role.to_owned()),
        ..Default::default()
    };
    app.update(user("Countess"), &["name"]).await.unwrap();
    app.session(&issued.access_token).await.unwrap();
    app.update(user("admin"), &["role"]).await.unwrap();
    assert_eq!(
        refusal(app.session(&issued.access_token).await),
        (Code::Unauthenticated, "TOKEN_STALE".to_owned())
    );
    let fresh = app.refresh(&issued.refresh_token).await.unwrap();
    let told = app.session(&fresh.access_token).await.unwrap().session;
    assert_eq!(told.as_ref().unwrap().user.as_ref().unwrap().role.as_deref(), Some("admin"));
    assert_eq!(claims_of(told.as_ref()), json!({"may": "admin"}));
}

/// If a token lacks the role, only its time shows which role its claims come from, and that time is another replica's
/// clock.
#[tokio::test]
async fn a_token_without_the_role_is_stale_until_it_is_newer_than_the_change() {
    let hooks = on_jwt(|input| Ok(claims(json!({"may": input.user.role}))));
    let app = builder().config(&tokens("user_claims: [name]")).callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    app.session(&issued.access_token).await.unwrap();
    let id = user_of(issued.session.as_ref());
    // The token was issued and the role changed by this clock. A replica with a slow clock records an earlier time for
    // the change.
    app.clock.set(START.minus(Duration::from_secs(10)));
    app.update(User { id, role: "admin".to_owned(), ..Default::default() }, &["role"]).await.unwrap();
    app.clock.set(START);
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_STALE");
    app.clock.set(START.plus(Duration::from_secs(1)));
    let fresh = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(
        claims_of(app.session(&fresh.access_token).await.unwrap().session.as_ref()),
        json!({"may": "admin"})
    );
}

#[tokio::test]
async fn a_session_callback_adds_to_the_answer_and_to_nothing_else() {
    let hooks = on_session(|input| {
        assert_eq!(input.session.user.name.as_deref(), Some("ada"));
        Ok(object(json!({"greeting": "hello", "seen": input.claims.len(), "absent": null})))
    });
    let app = builder().callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    let wanted = json!({"greeting": "hello", "seen": 0.0});
    assert_eq!(claims_of(issued.session.as_ref()), wanted);
    // The second read also starts from the claims of the token.
    for _ in 0..2 {
        assert_eq!(claims_of(app.session(&issued.access_token).await.unwrap().session.as_ref()), wanted);
    }
    assert_eq!(app.query("SELECT claims FROM sessions").await, [["{}"]]);
    assert_eq!(claims_of(app.refresh(&issued.refresh_token).await.unwrap().session.as_ref()), wanted);
}

#[tokio::test]
async fn what_a_session_callback_adds_is_not_in_the_jwt() {
    let app = builder().callbacks(on_session(|_| Ok(object(json!({"greeting": "hello"}))))).start().await;
    let issued = app.tokens("ada").await;
    assert_eq!(claims_of(issued.session.as_ref()), json!({"greeting": "hello"}));
    assert_eq!(part(&issued.access_token, 1).get("greeting"), None);
}

#[tokio::test]
async fn a_failing_session_callback_is_unavailable_and_spends_nothing() {
    for nonsense in [json!(null), json!({"n": 1e300}), json!({"": 1}), json!({"a\nb": 1})] {
        let failing = Arc::new(AtomicBool::new(false));
        let fails = Arc::clone(&failing);
        let app = builder().callbacks(on_session(move |_| {
            if !fails.load(Ordering::SeqCst) {
                return Ok(object(json!({})));
            }
            if nonsense.is_null() {
                Err(Callback::Session.failed("down"))
            } else {
                Ok(object(nonsense.clone()))
            }
        }));
        let app = app.start().await;
        let issued = app.tokens("ada").await;
        let grant = app.sign_in("ada").await.grant.unwrap();
        failing.store(true, Ordering::SeqCst);
        let unavailable = (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned());
        assert_eq!(refusal(app.session(&issued.access_token).await), unavailable);
        assert_eq!(refusal(app.issue(&grant).await), unavailable);
        assert_eq!(refusal(app.refresh(&issued.refresh_token).await), unavailable);
        failing.store(false, Ordering::SeqCst);
        app.session(&issued.access_token).await.unwrap();
        app.issue(&grant).await.unwrap();
        let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
        assert_eq!(refreshed.rotation(), gatepass::grpc::proto::v1::Rotation::Rotated);
    }
}

/// Builds the `tokens` section with this algorithm and these key files. The first file signs; the others have their own
/// algorithm.
fn keys(algorithm: &str, first: &str, others: &[(&str, &str)]) -> String {
    let mut files = vec![format!("'{KEYS}/{first}.pem'")];
    let other =
        |(algorithm, file): &(&str, &str)| format!("{{file: '{KEYS}/{file}.pem', algorithm: {algorithm}}}");
    files.extend(others.iter().map(other));
    format!("tokens: {{algorithm: {algorithm}, signing_keys: [{}]}}", files.join(", "))
}

#[tokio::test]
async fn every_algorithm_issues_and_verifies_and_older_keys_still_verify() {
    const KEYS: [(&str, &str); 5] =
        [("ES256", "es256"), ("EdDSA", "eddsa"), ("ES384", "es384"), ("PS256", "rsa"), ("RS256", "rsa")];
    for (at, (algorithm, file)) in KEYS.into_iter().enumerate() {
        let before = keys(algorithm, file, &[]);
        let app = builder().config(&before).start().await;
        let issued = app.tokens("ada").await;
        assert_eq!(part(&issued.access_token, 0)["alg"], algorithm);
        assert_eq!(app.session(&issued.access_token).await.unwrap().session, issued.session);
        // The next key signs from now on. Tokens of the previous key stay valid until that key is removed.
        let (next, next_file) = KEYS[(at + 1) % 3];
        let after = keys(next, next_file, &[(algorithm, file)]);
        let app = app.restart(|yaml| yaml.replace(&before, &after)).await;
        assert_eq!(app.session(&issued.access_token).await.unwrap().session, issued.session, "{algorithm}");
        let newer = app.refresh(&issued.refresh_token).await.unwrap().access_token;
        assert_eq!(part(&newer, 0)["alg"], next);
        app.session(&newer).await.unwrap();
        let app = app.restart(|yaml| yaml.replace(&after, &keys(next, next_file, &[]))).await;
        assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_SIGNATURE_INVALID", "{algorithm}");
        app.session(&newer).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_of_another_key_or_another_issuer_is_none_of_ours() {
    let app = builder().config(&tokens("")).start().await;
    let token = app.tokens("ada").await.access_token;
    app.session(&token).await.unwrap();
    let app = app.restart(|yaml| yaml.replace("/es256.pem", "/es256_other.pem")).await;
    assert_eq!(reason(app.session(&token).await), "TOKEN_SIGNATURE_INVALID");
    let elsewhere =
        |yaml: String| yaml.replace("/es256_other.pem", "/es256.pem") + "issuer: http://localhost:9999\n";
    let app = app.restart(elsewhere).await;
    assert_eq!(reason(app.session(&token).await), "TOKEN_MALFORMED");
}

#[tokio::test]
async fn a_session_of_a_token_that_was_refreshed_is_still_told() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    app.clock.advance(Duration::from_mins(10));
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    let old = app.session(&issued.access_token).await.unwrap().session;
    assert_eq!(old, issued.session);
    assert_eq!(app.session(&refreshed.access_token).await.unwrap().session, refreshed.session);
    app.clock.advance(Duration::from_secs(310));
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_EXPIRED");
    app.session(&refreshed.access_token).await.unwrap();
}

#[tokio::test]
async fn claims_of_every_kind_come_back_as_they_were_added() {
    let json = json!({
        "null_in_list": [null], "real": 0.5, "whole": 9_007_199_254_740_992_u64, "text": "é\u{1f600}\"\\",
        "list": [1, [2, [true]]], "object": {"sub": "nested names are free", "exp": 1},
    });
    let app = builder().callbacks(on_jwt(move |_| Ok(claims(json.clone())))).start().await;
    let issued = app.tokens("ada").await;
    let told = app.session(&issued.access_token).await.unwrap().session.unwrap();
    assert_eq!(Some(&told), issued.session.as_ref());
    let claims = told.claims.unwrap().fields;
    assert_eq!(claims["whole"].kind, Some(Kind::NumberValue(9_007_199_254_740_992.0)));
    assert_eq!(claims["text"].kind, Some(Kind::StringValue("é\u{1f600}\"\\".to_owned())));
    assert_eq!(claims.len(), 6);
}

also_with_references!(
    a_session_is_told_as_it_was_issued,
    it_tells_as_of_when_nothing_revoked_the_session,
    a_session_that_was_ended_is_refused_at_once_and_after_a_restart,
    a_ban_that_was_lifted_still_ended_the_sessions,
    a_ban_that_ran_out_still_ended_the_sessions,
    a_changed_user_is_told_as_it_is_now,
    a_changed_user_is_told_only_as_far_as_tokens_tell,
    only_configured_claims_tell_of_the_user,
    an_access_token_lives_as_long_as_configured,
    a_sign_in_that_changed_the_profile_shows_in_older_sessions,
    a_token_whose_claims_were_made_from_another_role_is_stale,
    a_session_callback_adds_to_the_answer_and_to_nothing_else,
    a_failing_session_callback_is_unavailable_and_spends_nothing,
    claims_of_every_kind_come_back_as_they_were_added,
);
