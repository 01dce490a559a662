//! Answers that are empty, invalid or missing: section 1.3 of the table above. The callbacks here are written in Rust,
//! so `undefined` of JavaScript corresponds to a failure. An answer of the wrong type corresponds to a value that no
//! token may contain.

use std::sync::{Arc, Mutex};

use gatepass::auth::{Callback, JwtDecision, SignInDecision};
use gatepass::grpc::proto::v1::{DenialReason, Disposition, IssueTokenResponse, sign_in_response};
use serde_json::{Value, json};
use tonic::Code;

use crate::support::hooks::{Hooks, claims, object, on_jwt, on_redirect, on_session, on_sign_in};
use crate::support::strategy::also_with_references;
use crate::support::witness::asked;
use crate::support::{TestApp, builder, claims_of, denied, profile, reason, refusal, signing_out_by_refresh};

/// The current behaviour of a callback: it panics, fails, or adds these claims.
#[derive(Clone)]
enum Mood {
    Panics,
    Fails,
    Answers(Value),
}

/// Claims that no callback may add.
fn nonsense() -> Vec<Value> {
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    let long = "x".repeat(129);
    vec![
        json!({"": 1}),
        json!({"a\nb": 1}),
        json!({long: 1}),
        json!({"n": (1_u64 << 53) + 1}),
        json!({"n": -1e300}),
        json!({"n": {"deep": [1e300]}}),
        json!({"n": deep}),
    ]
}

/// A callback whose behaviour a test sets.
#[derive(Clone)]
struct Moods(Arc<Mutex<Mood>>);

impl Moods {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Mood::Answers(json!({})))))
    }

    fn set(&self, mood: Mood) {
        *self.0.lock().unwrap() = mood;
    }

    fn answer(&self, callback: Callback) -> Result<Value, gatepass::auth::CallbackFailure> {
        let mood = self.0.lock().unwrap().clone();
        match mood {
            Mood::Panics => panic!("this panic belongs to the test"),
            Mood::Fails => Err(callback.failed("10.1.2.3 refused")),
            Mood::Answers(claims) => Ok(claims),
        }
    }

    fn of_jwt(&self) -> Hooks {
        let moods = self.clone();
        on_jwt(move |_| moods.answer(Callback::Jwt).map(claims))
    }

    fn of_session(&self) -> Hooks {
        let moods = self.clone();
        on_session(move |_| moods.answer(Callback::Session).map(object))
    }
}

/// Returns the rows of the sessions, and the log.
async fn written(app: &TestApp) -> (Vec<Vec<String>>, Vec<String>) {
    let sql = "SELECT version, generation, refresh_count, expires_at, claims, refresh_hash AS hash, \
               redeemed_at, end_reason FROM sessions ORDER BY rowid";
    (app.query(sql).await, app.log().await)
}

/// Checks the calls that use `jwt` and `session`: each must be rejected with this error, hide the cause, and spend
/// nothing.
async fn is_refused_and_spends_nothing(
    app: &TestApp,
    grant: &str,
    issued: &IssueTokenResponse,
    code: Code,
    why: &str,
    what: &str,
) {
    let before = written(app).await;
    let status = [
        app.issue(grant).await.unwrap_err(),
        app.refresh(&issued.refresh_token).await.unwrap_err(),
        app.update_session(&issued.refresh_token, json!({"theme": "dark"})).await.unwrap_err(),
    ];
    for status in status {
        assert!(!status.message().contains("10.1.2.3"), "{what}");
        assert_eq!(refusal::<()>(Err(status)), (code, why.to_owned()), "{what}");
    }
    assert_eq!(written(app).await, before, "{what}");
}

#[tokio::test]
async fn a_jwt_that_refuses_a_sign_in_leaves_no_token_and_a_session_that_ended() {
    let (builder, seen) = builder().witness(on_jwt(|_| Ok(JwtDecision::Deny(Some("no seat".to_owned())))));
    let app = builder.start().await;
    for trigger in ["SIGN_UP", "SIGN_IN"] {
        let grant = app.sign_in("ada").await.grant.unwrap();
        seen.take();
        let refused = app.issue(&grant).await;
        assert_eq!(refused.as_ref().unwrap_err().message(), "no seat");
        assert_eq!(refusal(refused), (Code::PermissionDenied, "CALLBACK_DENIED".to_owned()));
        // Auth.js continues as if the sign-in had succeeded, and emits its event.
        let what: Vec<_> = seen.take().into_iter().map(|(what, _)| what).collect();
        assert_eq!(what, [format!("jwt {trigger}")]);
        let log = app.log().await;
        let wanted = [format!("{trigger} SUCCESS"), "TOKEN_DENIED DENIED CALLBACK_DENIED".to_owned()];
        assert_eq!(log[log.len() - 2..], wanted);
        assert_eq!(reason(app.issue(&grant).await), "GRANT_USED");
    }
    let sql = "SELECT end_reason, refresh_hash AS hash, pending AS pending FROM sessions";
    assert_eq!(app.query(sql).await, [["DENIED", "", ""], ["DENIED", "", ""]]);
}

#[tokio::test]
async fn a_jwt_that_refuses_an_update_leaves_the_session_as_it_was() {
    let hooks = on_jwt(|input| {
        let evil = input.claims.get("theme").is_some_and(|theme| theme == "evil");
        Ok(if evil { JwtDecision::Deny(None) } else { claims(json!({"made": true})) })
    });
    let app = builder().config("session: {update_allow: [theme]}").callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    let (rows, _) = written(&app).await;
    let refused = app.update_session(&issued.refresh_token, json!({"theme": "evil"})).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "CALLBACK_DENIED".to_owned()));
    assert_eq!(written(&app).await.0, rows);
    assert_eq!(app.log().await.last().unwrap(), "TOKEN_DENIED DENIED CALLBACK_DENIED");
    app.session(&issued.access_token).await.unwrap();
    let updated = app.update_session(&issued.refresh_token, json!({"theme": "dark"})).await.unwrap();
    assert_eq!(claims_of(updated.session.as_ref()), json!({"made": true, "theme": "dark"}));
}

#[tokio::test]
async fn a_jwt_without_an_answer_is_an_error_and_no_token() {
    let moods = Moods::new();
    let app = builder().callbacks(moods.of_jwt()).start().await;
    let issued = app.tokens("ada").await;
    let grant = app.sign_in("bob").await.grant.unwrap();
    moods.set(Mood::Fails);
    let (code, why) = (Code::Unavailable, "CALLBACK_UNAVAILABLE");
    is_refused_and_spends_nothing(&app, &grant, &issued, code, why, "no answer").await;
    // A read does not call `jwt`.
    app.session(&issued.access_token).await.unwrap();
    moods.set(Mood::Answers(json!({})));
    app.issue(&grant).await.unwrap();
    app.refresh(&issued.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_jwt_that_adds_nothing_takes_nothing_away() {
    let hooks = on_jwt(|input| {
        let first = input.trigger.name() != "UPDATE";
        Ok(claims(if first { json!({"tenant": "t1", "gone": 1}) } else { json!({"gone": null}) }))
    });
    let app = builder().callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    assert_eq!(claims_of(issued.session.as_ref()), json!({"tenant": "t1", "gone": 1.0}));
    let mut token = issued.refresh_token;
    for _ in 0..2 {
        let refreshed = app.refresh(&token).await.unwrap();
        let session = app.session(&refreshed.access_token).await.unwrap().session.unwrap();
        assert_eq!(claims_of(Some(&session)), json!({"tenant": "t1"}));
        let user = session.user.unwrap();
        assert_eq!((user.name.as_deref(), user.role.as_deref()), (Some("ada"), Some("user")));
        token = refreshed.refresh_token;
    }
}

#[tokio::test]
async fn an_invalid_answer_of_jwt_is_an_error_and_spends_nothing() {
    let moods = Moods::new();
    let app = builder().callbacks(moods.of_jwt()).start().await;
    let issued = app.tokens("ada").await;
    let grant = app.sign_in("bob").await.grant.unwrap();
    for answer in nonsense() {
        let what = answer.to_string();
        moods.set(Mood::Answers(answer));
        let (code, why) = (Code::Unavailable, "CALLBACK_UNAVAILABLE");
        is_refused_and_spends_nothing(&app, &grant, &issued, code, why, &what).await;
    }
    moods.set(Mood::Answers(json!({})));
    app.issue(&grant).await.unwrap();
}

#[tokio::test]
async fn registered_claims_cannot_be_set() {
    let names = [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "sid",
        "auth_time",
        "client_id",
        "epoch",
        "provider",
        "session_exp",
        "name",
        "email",
        "email_verified",
        "picture",
        "role",
        "cnf",
        "act",
        "azp",
        "nonce",
        "amr",
        "acr",
    ];
    for (moods, hooks) in [Moods::new(), Moods::new()].into_iter().zip([Moods::of_jwt, Moods::of_session]) {
        let app = builder().callbacks(hooks(&moods)).start().await;
        let issued = app.tokens("ada").await;
        let grant = app.sign_in("bob").await.grant.unwrap();
        for name in names {
            for value in [json!(null), json!("x"), json!(4_102_444_800_i64)] {
                moods.set(Mood::Answers(json!({name: value, "fine": 1})));
                let (code, why) = (Code::Unavailable, "CALLBACK_UNAVAILABLE");
                is_refused_and_spends_nothing(&app, &grant, &issued, code, why, name).await;
            }
        }
        moods.set(Mood::Answers(json!({"fine": 1})));
        app.issue(&grant).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_adds_nothing_tells_the_session_as_it_is() {
    let moods = Moods::new();
    let app = builder()
        .callbacks(moods.of_session().and(on_jwt(|_| Ok(claims(json!({"tenant": "t1"}))))))
        .start()
        .await;
    let issued = app.tokens("ada").await;
    let told = app.session(&issued.access_token).await.unwrap().session;
    assert_eq!(told, issued.session);
    assert_eq!(claims_of(told.as_ref()), json!({"tenant": "t1"}));
    // A null hides a claim in the answer and nowhere else.
    moods.set(Mood::Answers(json!({"tenant": null})));
    let told = app.session(&issued.access_token).await.unwrap().session;
    assert_eq!(claims_of(told.as_ref()), json!({}));
    moods.set(Mood::Answers(json!({})));
    assert_eq!(app.session(&issued.access_token).await.unwrap().session, issued.session);
}

#[tokio::test]
async fn a_session_cannot_pass_itself_off_as_another() {
    let moods = Moods::new();
    let app = builder().callbacks(moods.of_session()).start().await;
    let issued = app.tokens("ada").await;
    let forged =
        json!({"id": "another", "user": {"id": "another", "role": "admin"}, "expires": "9999-12-31"});
    moods.set(Mood::Answers(forged.clone()));
    let mut told = app.session(&issued.access_token).await.unwrap().session.unwrap();
    assert_eq!(claims_of(Some(&told)), forged);
    told.claims = issued.session.as_ref().unwrap().claims.clone();
    assert_eq!(Some(told), issued.session);
}

#[tokio::test]
async fn a_failing_or_invalid_session_callback_is_an_error_and_spends_nothing() {
    let moods = Moods::new();
    let app = builder().callbacks(moods.of_session()).start().await;
    let issued = app.tokens("ada").await;
    let grant = app.sign_in("bob").await.grant.unwrap();
    let moods_to_try = nonsense().into_iter().map(Mood::Answers).chain([Mood::Fails]);
    for mood in moods_to_try {
        moods.set(mood);
        let (code, why) = (Code::Unavailable, "CALLBACK_UNAVAILABLE");
        assert_eq!(refusal(app.session(&issued.access_token).await), (code, why.to_owned()));
        is_refused_and_spends_nothing(&app, &grant, &issued, code, why, "session").await;
    }
    moods.set(Mood::Answers(json!({})));
    app.session(&issued.access_token).await.unwrap();
    app.issue(&grant).await.unwrap();
}

#[tokio::test]
async fn a_callback_that_panics_ends_its_call_and_nothing_else() {
    for hooks in [Moods::of_jwt, Moods::of_session] {
        let moods = Moods::new();
        let app = builder().callbacks(hooks(&moods)).start().await;
        let issued = app.tokens("ada").await;
        let grant = app.sign_in("bob").await.grant.unwrap();
        moods.set(Mood::Panics);
        is_refused_and_spends_nothing(&app, &grant, &issued, Code::Internal, "INTERNAL", "a panic").await;
        moods.set(Mood::Answers(json!({})));
        app.issue(&grant).await.unwrap();
        app.session(&issued.access_token).await.unwrap();
    }
    let sign_in = on_sign_in(|input| {
        assert!(!input.is_new_user, "this panic belongs to the test");
        Ok(SignInDecision::Allow)
    });
    let redirect = on_redirect(|_| panic!("this panic belongs to the test"));
    for hooks in [sign_in, redirect] {
        let app = builder().callbacks(hooks).start().await;
        for _ in 0..2 {
            assert_eq!(
                refusal(app.try_sign_in(profile("ada")).await),
                (Code::Internal, "INTERNAL".to_owned())
            );
        }
        assert_eq!(app.counts().await, [0, 0, 0]);
    }
}

#[tokio::test]
async fn a_sign_in_callback_without_an_answer_lets_no_user_in() {
    let (builder, seen) = builder().witness(on_sign_in(|_| Err(Callback::SignIn.failed("down"))));
    let app = builder.start().await;
    let refused = refusal(app.try_sign_in(profile("ada")).await);
    assert_eq!(refused, (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned()));
    assert_eq!(seen.take(), [asked("sign_in of a new user", [0, 0, 0, 0, 0])]);
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"]);
}

#[tokio::test]
async fn a_sign_in_that_says_no_leaves_no_user_no_account_and_no_session() {
    for detail in ["no beta access", ""] {
        let hooks = on_sign_in(move |_| Ok(SignInDecision::deny(detail)));
        let (builder, seen) = builder().witness(hooks);
        let app = builder.start().await;
        let denied = denied(app.try_sign_in(profile("ada")).await);
        assert_eq!(denied.reason(), DenialReason::CallbackDenied);
        assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=AccessDenied");
        assert_eq!(seen.take(), [asked("sign_in of a new user", [0, 0, 0, 0, 0])]);
        assert_eq!(app.counts().await, [0, 0, 0]);
        assert_eq!(app.log().await, ["SIGN_IN_DENIED DENIED CALLBACK_DENIED"]);
    }
}

#[tokio::test]
async fn a_sign_in_that_sends_elsewhere_asks_redirect_and_leaves_nothing() {
    for (url, wanted) in [
        ("/terms", "http://localhost:3000/terms"),
        ("http://localhost:3000/terms?a=b", "http://localhost:3000/terms?a=b"),
        ("https://evil.example/", "http://localhost:3000"),
        ("//evil.example/", "http://localhost:3000"),
        // Auth.js throws for a word that is not a URL.
        ("terms", "http://localhost:3000"),
    ] {
        let hooks = on_sign_in(move |_| Ok(SignInDecision::Redirect(url.to_owned())));
        let (builder, seen) = builder().witness(hooks);
        let app = builder.start().await;
        match app.try_sign_in(profile("ada")).await.unwrap().into_inner().outcome {
            Some(sign_in_response::Outcome::Redirect(redirect)) => assert_eq!(redirect.url, wanted, "{url}"),
            other => panic!("no redirect: {other:?}"),
        }
        let nothing = [0, 0, 0, 0, 0];
        let redirect = format!("redirect {wanted}");
        assert_eq!(
            seen.take(),
            [asked("sign_in of a new user", nothing), asked(&redirect, nothing)],
            "{url}"
        );
        assert_eq!(app.counts().await, [0, 0, 0]);
        assert_eq!(app.log().await, ["SIGN_IN_DENIED REDIRECTED REDIRECTED"]);
    }
}

#[tokio::test]
async fn a_sign_in_that_redirects_to_an_empty_url_is_an_error() {
    let app = builder().callbacks(on_sign_in(|_| Ok(SignInDecision::Redirect(String::new())))).start().await;
    let told = refusal(app.try_sign_in(profile("ada")).await);
    assert_eq!(told, (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned()));
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"]);
}

#[tokio::test]
async fn a_redirect_without_an_answer_keeps_the_built_in_one() {
    let app = builder().callbacks(on_redirect(|_| Ok(None))).start().await;
    let told = |url: &str, disposition| (url.to_owned(), disposition);
    let at_home = told("http://localhost:3000", Disposition::Fallback);
    assert_eq!(app.resolve("/x").await.unwrap(), told("http://localhost:3000/x", Disposition::Relative));
    assert_eq!(app.resolve("https://evil.example/").await.unwrap(), at_home);
    for answer in ["", "x", "//evil.example/", "javascript:alert(1)", "/x\r\nset-cookie: a=1", "http://[::1"]
    {
        let app = builder().callbacks(on_redirect(move |_| Ok(Some(answer.to_owned())))).start().await;
        assert_eq!(app.resolve("/x").await.unwrap(), at_home, "{answer}");
    }
}

#[tokio::test]
async fn a_failing_redirect_callback_is_an_error_without_a_redirect() {
    let hooks = on_redirect(|_| Err(Callback::Redirect.failed("down")));
    let elsewhere = on_sign_in(|input| {
        let wait = input.account.provider_account_id.as_str() == "waiting";
        Ok(if wait { SignInDecision::Redirect("/terms".to_owned()) } else { SignInDecision::Allow })
    });
    let app = builder().callbacks(hooks.and(elsewhere)).start().await;
    let unavailable = (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned());
    assert_eq!(refusal(app.resolve("/x").await), unavailable);
    for who in ["ada", "waiting"] {
        assert_eq!(refusal(app.try_sign_in(profile(who)).await), unavailable, "{who}");
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    // Each sign-in has one log row, with its outcome.
    assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"; 2]);
}

#[tokio::test]
async fn what_cannot_be_logged_does_not_happen() {
    let app = builder().start().await;
    let issued = app.tokens("ada").await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let (rows, _) = written(&app).await;
    // In Auth.js an event that throws is logged, and the operation still takes place.
    app.hide("auth_logs").await;
    let internal = (Code::Internal, "INTERNAL".to_owned());
    assert_eq!(refusal(app.try_sign_in(profile("bob")).await), internal);
    assert_eq!(refusal(app.issue(&grant).await), internal);
    assert_eq!(refusal(app.sign_out_with(signing_out_by_refresh(&issued.refresh_token)).await), internal);
    app.unhide("auth_logs").await;
    assert_eq!(app.counts().await, [1, 1, 2]);
    assert_eq!(written(&app).await.0, rows);
    app.session(&issued.access_token).await.unwrap();
    app.issue(&grant).await.unwrap();
    assert!(app.sign_in("bob").await.is_new_user);
    assert_eq!(app.sign_out_with(signing_out_by_refresh(&issued.refresh_token)).await.unwrap(), 1);
}

also_with_references!(
    a_jwt_that_refuses_a_sign_in_leaves_no_token_and_a_session_that_ended,
    a_jwt_that_refuses_an_update_leaves_the_session_as_it_was,
    a_jwt_without_an_answer_is_an_error_and_no_token,
    a_jwt_that_adds_nothing_takes_nothing_away,
    an_invalid_answer_of_jwt_is_an_error_and_spends_nothing,
    registered_claims_cannot_be_set,
    a_session_that_adds_nothing_tells_the_session_as_it_is,
    a_session_cannot_pass_itself_off_as_another,
    a_failing_or_invalid_session_callback_is_an_error_and_spends_nothing,
    a_callback_that_panics_ends_its_call_and_nothing_else,
    what_cannot_be_logged_does_not_happen,
);
