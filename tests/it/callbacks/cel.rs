//! `callbacks.cel` from the callers' view: configured expressions that decide about calls.

use std::time::Duration;

use gatepass::grpc::proto::callback::v1::RedirectResponse;
use gatepass::grpc::proto::v1::{
    Client, Disposition, IssueTokenRequest, ProfileCredential, RefreshTokenRequest, Session, SignInRequest,
    SignInResponse, User, sign_in_response,
};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::support::callback_service::{CallbackServer, claims as answered, shows, to_json};
use crate::support::hooks::{on_session, on_sign_in};
use crate::support::jwt::decode;
use crate::support::people::denied;
use crate::support::program::Serving;
use crate::support::strategy::{also_with_references, with_strategy};
use crate::support::{TestApp, allowed, builder, credential, profile, reason, refusal};

/// Starts an app with these expressions.
async fn app(cel: &str) -> TestApp {
    builder().config(&format!("callbacks:\n  cel:\n{cel}")).start().await
}

fn unavailable() -> (Code, String) {
    (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned())
}

/// Builds the same sign-in, with more fields in its profile.
fn with_raw(who: &str, raw: impl IntoIterator<Item = (&'static str, Kind)>) -> SignInRequest {
    let fields = raw.into_iter().map(|(name, kind)| (name.to_owned(), Value { kind: Some(kind) }));
    credential(ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: who.to_owned(),
        email: Some(format!("{who}@example.com")),
        email_verified: true,
        name: Some(who.to_owned()),
        raw: Some(Struct { fields: fields.collect() }),
        ..Default::default()
    })
}

fn text(text: &str) -> Kind {
    Kind::StringValue(text.to_owned())
}

fn texts(items: &[&str]) -> Kind {
    let values = items.iter().map(|item| Value { kind: Some(text(item)) }).collect();
    Kind::ListValue(ListValue { values })
}

fn sent(answer: Result<Response<SignInResponse>, Status>) -> String {
    match answer.unwrap().into_inner().outcome {
        Some(sign_in_response::Outcome::Redirect(redirect)) => redirect.url,
        other => panic!("not redirected: {other:?}"),
    }
}

/// Converts the claims of a session to JSON, with whole numbers as integers.
fn claims(session: Option<Session>) -> serde_json::Value {
    fn json(value: Value) -> serde_json::Value {
        match value.kind.unwrap() {
            Kind::NullValue(_) => json!(null),
            Kind::BoolValue(value) => json!(value),
            #[expect(clippy::cast_possible_truncation, reason = "what the tests have is whole")]
            Kind::NumberValue(value) => json!(value as i64),
            Kind::StringValue(value) => json!(value),
            Kind::ListValue(list) => list.values.into_iter().map(json).collect(),
            Kind::StructValue(map) => object(map),
        }
    }
    fn object(map: Struct) -> serde_json::Value {
        map.fields.into_iter().map(|(name, value)| (name, json(value))).collect()
    }
    object(session.unwrap().claims.unwrap())
}

#[tokio::test]
async fn a_sign_in_is_allowed_denied_or_sent_elsewhere() {
    let app = app("    sign_in: |
      profile.?tier.orValue('') == 'waiting' ? '/waiting-list'
        : profile.email_verified && profile.email.endsWith('@example.com') && 'staff' in profile.?groups.orValue([])
").await;
    allowed(app.try_sign_in(with_raw("ada", [("groups", texts(&["ops", "staff"]))])).await);
    let refused = denied(app.try_sign_in(with_raw("bob", [("groups", texts(&["ops"]))])).await);
    assert_eq!(refused.reason().as_str_name(), "DENIAL_REASON_CALLBACK_DENIED");
    assert_eq!(
        (refused.detail, refused.redirect_to.as_str()),
        (None, "http://localhost:3000/auth/error?error=AccessDenied")
    );
    let url = sent(app.try_sign_in(with_raw("eve", [("tier", text("waiting"))])).await);
    assert_eq!(url, "http://localhost:3000/waiting-list");
    assert_eq!(app.counts().await, [1, 1, 1], "who is not in leaves nothing");
    assert_eq!(
        app.log().await,
        ["SIGN_UP SUCCESS", "SIGN_IN_DENIED DENIED CALLBACK_DENIED", "SIGN_IN_DENIED REDIRECTED REDIRECTED"]
    );
}

#[tokio::test]
async fn the_policy_is_asked_before_and_callbacks_of_a_program_after() {
    let yaml = "sign_in: {allowed_email_domains: [example.com]}\ncallbacks: {cel: {sign_in: \"user.name != 'bob'\"}}";
    let hooks = on_sign_in(|input| {
        assert!(!["bob", "eve"].contains(&input.user.name.as_deref().unwrap()), "was refused before");
        Ok(gatepass::auth::SignInDecision::deny("by the program"))
    });
    let app = builder().config(yaml).callbacks(hooks).start().await;
    let reasons = async |request| {
        let denied = denied(app.try_sign_in(request).await);
        (denied.reason().as_str_name().strip_prefix("DENIAL_REASON_").unwrap().to_owned(), denied.detail)
    };
    let elsewhere = credential(ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: "eve".to_owned(),
        name: Some("eve".to_owned()),
        email: Some("eve@elsewhere.example".to_owned()),
        email_verified: true,
        ..Default::default()
    });
    assert_eq!(reasons(elsewhere).await, ("EMAIL_NOT_ALLOWED".to_owned(), None));
    assert_eq!(reasons(profile("bob")).await, ("CALLBACK_DENIED".to_owned(), None));
    assert_eq!(
        reasons(profile("ada")).await,
        ("CALLBACK_DENIED".to_owned(), Some("by the program".to_owned()))
    );
}

#[tokio::test]
async fn a_service_is_asked_after_the_expressions() {
    let service = CallbackServer::start().await;
    let cel = "callbacks: {cel: {sign_in: \"user.name != 'bob'\", jwt: {plan: \"'basic'\", gone: '1'}, \
               session: {n: size(token)}, redirect: \"base_url + '/start'\"}, ";
    let app = builder().config(&service.section("").replace("callbacks: {", cel)).start().await;
    service.rules.jwt.answers(|request| {
        let mut told = to_json(request.claims.as_ref().unwrap());
        told["seen"] = json!(told.as_object().unwrap().len());
        told["gone"] = json!(null);
        answered(&told)
    });
    service
        .rules
        .session
        .answers(|request| shows(&json!({"all": to_json(request.claims.as_ref().unwrap())})));
    service
        .rules
        .redirect
        .answers(|request| RedirectResponse { url: request.url.clone() + "/of-the-service" });
    denied(app.try_sign_in(profile("bob")).await);
    assert_eq!(service.rules.sign_in.calls(), 0);
    let allowed_in = app.sign_in("ada").await;
    assert_eq!(service.rules.sign_in.calls(), 1);
    assert_eq!(allowed_in.redirect_to, "http://localhost:3000/start/of-the-service");
    let issued = app.issue(&allowed_in.grant.unwrap()).await.unwrap();
    let kept = json!({"plan": "basic", "seen": 2});
    let mut wanted = kept.clone();
    wanted["n"] = json!(2);
    wanted["all"] = wanted.clone();
    assert_eq!(claims(issued.session), wanted);
}

#[tokio::test]
async fn a_sign_in_callback_sees_who_comes_and_from_where() {
    let app = app("    sign_in: |
      is_new_user == (user.created_at == now)
        && account.provider == 'github' && account.provider_account_id == profile.sub && account.type == 'profile'
        && user.role == 'user' && user.email == profile.email && user.name == profile.name
        && client.ip_address == '10.1.2.3' && client.user_agent == 'a browser'
").await;
    let client = Some(Client {
        ip_address: Some("::ffff:10.1.2.3".to_owned()),
        user_agent: Some("a browser".to_owned()),
    });
    for is_new_user in [true, false] {
        let answer = app.try_sign_in(SignInRequest { client: client.clone(), ..profile("ada") }).await;
        assert_eq!(allowed(answer).is_new_user, is_new_user);
        app.clock.advance(Duration::from_mins(1));
    }
    denied(app.try_sign_in(profile("ada")).await);
}

#[tokio::test]
async fn an_invalid_answer_lets_no_user_in_and_writes_only_a_log_row() {
    for expression in [
        "1",
        "null",
        "[true]",
        "{'allow': true}",
        "profile",
        "profile.nothing",
        "1 / 0 == 1",
        "user.role + 1 == ''",
    ] {
        let app = app(&format!("    sign_in: \"{expression}\"\n")).await;
        let answer = app.try_sign_in(profile("ada")).await;
        assert!(!format!("{answer:?}").contains("callbacks.cel"), "a client is not told why: {answer:?}");
        assert_eq!(refusal(answer), unavailable(), "{expression}");
        assert_eq!(app.counts().await, [0, 0, 0], "{expression}");
        assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"], "{expression}");
    }
}

#[tokio::test]
async fn the_log_tells_which_expression_failed_and_nothing_that_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "callbacks: {cel: {sign_in: \"profile[profile.secret] == int(profile.email)\"}}";
    std::fs::write(folder.path().join("g.yaml"), yaml).unwrap();
    let mut serving = Serving::ready(folder.path(), &["--config", "g.yaml"], &[]).await;
    for (raw, cause) in [
        (vec![], "callbacks.cel.sign_in: no such key: secret"),
        (vec![("secret", text("s3cret"))], "callbacks.cel.sign_in: no such key"),
        (vec![("secret", text("sub"))], "callbacks.cel.sign_in: int() can't read what it is given"),
    ] {
        assert_eq!(refusal(serving.auth().await.sign_in(with_raw("lovelace", raw)).await), unavailable());
        let told = serving.until("callback failed").await;
        assert_eq!((told["callback"].as_str(), told["cause"].as_str()), (Some("sign_in"), Some(cause)));
    }
    let log = serving.stop().await.join("\n");
    assert!(log.contains("callback failed") && !log.contains("s3cret") && !log.contains("lovelace"), "{log}");
}

#[tokio::test]
async fn a_sign_in_that_costs_too_much_is_no_sign_in() {
    let app = app("    sign_in: |
      profile.list.all(x, profile.list.all(y, x == y)) || true
")
    .await;
    allowed(app.try_sign_in(with_raw("ada", [("list", texts(&["a", "a", "a"]))])).await);
    let many = vec!["a"; 2_000];
    let answer = app.try_sign_in(with_raw("eve", [("list", texts(&many))])).await;
    assert_eq!(refusal(answer), unavailable());
}

#[tokio::test]
async fn a_token_says_what_the_expressions_say() {
    let app = app("    jwt:
      plan: \"user.role == 'admin' ? 'unlimited' : 'basic'\"
      login: profile.?login
      count: \"has(token.count) ? token.count + 1 : 1\"
      via: account.?provider
      how: \"trigger + (is_new_user ? '!' : '')\"
      from: client.ip_address
      sid_too: session_id
")
    .await;
    let allowed_in = allowed(app.try_sign_in(with_raw("ada", [("login", text("lovelace"))])).await);
    let client = Some(Client { ip_address: Some("10.1.2.3".to_owned()), user_agent: None });
    let request = IssueTokenRequest { grant: allowed_in.grant.unwrap(), client, ..Default::default() };
    let issued = app.auth.clone().issue_token(request).await.unwrap().into_inner();
    let sid = issued.session.clone().unwrap().id.unwrap();
    let mut wanted = json!({
        "plan": "basic", "login": "lovelace", "count": 1, "via": "github", "how": "SIGN_UP!", "from": "10.1.2.3",
        "sid_too": sid,
    });
    assert_eq!(claims(issued.session), wanted);
    assert_eq!(claims(app.session(&issued.access_token).await.unwrap().session), wanted);

    let user = User { id: allowed_in.user.unwrap().id, role: "admin".to_owned(), ..User::default() };
    app.update(user, &["role"]).await.unwrap();
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_STALE");
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    // A null removes a claim; an optional without a value keeps the previous one.
    wanted.as_object_mut().unwrap().remove("from");
    for (name, value) in [("plan", json!("unlimited")), ("count", json!(2)), ("how", json!("UPDATE"))] {
        wanted[name] = value;
    }
    assert_eq!(claims(refreshed.session), wanted);
    assert_eq!(claims(app.session(&refreshed.access_token).await.unwrap().session), wanted);
}

#[tokio::test]
async fn an_update_of_the_client_passes_the_expressions() {
    let app = builder()
        .config("session: {update_allow: [theme, note]}")
        .config("callbacks: {cel: {jwt: {theme: \"token.?theme.orValue('') in ['light', 'dark'] ? token.theme : 'light'\", seen: \"size(update)\"}}}")
        .start()
        .await;
    let issued = app.tokens("ada").await;
    assert_eq!(claims(issued.session), json!({"theme": "light", "seen": 0}));
    let mut refresh_token = issued.refresh_token;
    for (theme, wanted) in [("dark", "dark"), ("pink", "light")] {
        let fields = [("theme", theme), ("plan", "unlimited"), ("note", "x")];
        let fields = fields.map(|(name, value)| (name.to_owned(), Value { kind: Some(text(value)) }));
        let update = Some(Struct { fields: fields.into() });
        let request = RefreshTokenRequest { refresh_token, update, ..Default::default() };
        let refreshed = app.auth.clone().refresh_token(request).await.unwrap().into_inner();
        assert_eq!(claims(refreshed.session), json!({"theme": wanted, "seen": 2, "note": "x"}));
        refresh_token = refreshed.refresh_token;
    }
}

#[tokio::test]
async fn a_jwt_expression_that_fails_spends_nothing() {
    for bad in [
        "profile.seats",
        "1 / int(profile.?seats.orValue('0'))",
        "duration('1h')",
        "user",
        "9007199254740993",
    ] {
        let app = app(&format!("    jwt:\n      ok: '1'\n      seats: \"{bad}\"\n")).await;
        let grant = app.sign_in("ada").await.grant.unwrap();
        for _ in 0..2 {
            assert_eq!(refusal(app.issue(&grant).await), unavailable(), "{bad}");
        }
        assert_eq!(app.log().await, ["SIGN_UP SUCCESS"], "{bad}");
        // Nothing was lost: the grant works once the policy is corrected.
        let app = app.restart(|yaml| yaml.replace(bad, "2")).await;
        let issued = app.issue(&grant).await.unwrap();
        assert_eq!(claims(issued.session), json!({"ok": 1, "seats": 2}), "{bad}");
    }
}

#[tokio::test]
async fn a_refresh_that_fails_spends_nothing() {
    let app = app("    jwt:\n      seats: \"trigger == 'UPDATE' ? profile.seats : 1\"\n").await;
    let issued = app.tokens("ada").await;
    for _ in 0..2 {
        assert_eq!(refusal(app.refresh(&issued.refresh_token).await), unavailable());
    }
    let app = app.restart(|yaml| yaml.replace("profile.seats", "token.seats + 1")).await;
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(claims(refreshed.session), json!({"seats": 2}));
}

#[tokio::test]
async fn claims_too_large_for_a_token_are_refused_and_spend_nothing() {
    let app = app("    jwt:\n      big: \"profile.big + profile.big\"\n").await;
    let big = |bytes: usize| with_raw("ada", [("big", text(&"x".repeat(bytes)))]);
    let grant = allowed(app.try_sign_in(big(5_000)).await).grant.unwrap();
    for _ in 0..2 {
        assert_eq!(
            refusal(app.issue(&grant).await),
            (Code::FailedPrecondition, "CLAIMS_TOO_LARGE".to_owned())
        );
    }
    let grant = allowed(app.try_sign_in(big(50)).await).grant.unwrap();
    app.issue(&grant).await.unwrap();
}

#[tokio::test]
async fn a_session_shows_what_the_expressions_say_and_keeps_none_of_it() {
    let yaml = "    jwt:
      plan: \"'basic'\"
      internal: \"'x'\"
    session:
      greeting: \"'Hello, ' + user.name\"
      internal: \"null\"
      hours: int((session.expires_at - session.authenticated_at).getHours() / 24)
      plan: token.plan.upperAscii()
";
    let hooks = on_session(|input| {
        assert_eq!(input.claims["plan"], "BASIC", "asked after the expressions");
        assert!(!input.claims.contains_key("internal"));
        Ok(std::iter::once(("last".to_owned(), json!(input.claims.len()))).collect())
    });
    let config = format!("callbacks:\n  cel:\n{yaml}");
    let app = builder().config(&config).callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    let wanted = json!({"greeting": "Hello, ada", "hours": 30, "plan": "BASIC", "last": 3});
    assert_eq!(claims(issued.session), wanted);
    assert_eq!(claims(app.session(&issued.access_token).await.unwrap().session), wanted);
    let kept = app.query("SELECT claims FROM sessions").await.remove(0).remove(0);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&kept).unwrap(),
        json!({"plan": "basic", "internal": "x"})
    );
}

#[tokio::test]
async fn a_session_that_can_not_be_told_is_not_told() {
    let app = app("    session:\n      first: user.name.split(' ')[1]\n").await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    assert_eq!(refusal(app.issue(&grant).await), unavailable());
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
    let app = app.restart(|yaml| yaml.replace("[1]", "[0]")).await;
    let issued = app.issue(&grant).await.unwrap();
    assert_eq!(claims(issued.session), json!({"first": "ada"}));
}

#[tokio::test]
async fn a_redirect_that_is_answered_passes_the_rule() {
    let app = app("    redirect: |
      url == base_url ? '/start'
        : url == base_url + '/evil' ? 'https://evil.example/'
        : url == base_url + '/script' ? 'javascript:alert(1)'
        : url == base_url + '/odd' ? url.replace('/odd', '//evil.example') + '/../x'
        : url
")
    .await;
    for (url, wanted, disposition) in [
        ("", "http://localhost:3000/start", Disposition::Relative),
        ("https://evil.example/", "http://localhost:3000/start", Disposition::Relative),
        ("/orders?page=2", "http://localhost:3000/orders?page=2", Disposition::Relative),
        ("/evil", "http://localhost:3000", Disposition::Fallback),
        ("/script", "http://localhost:3000", Disposition::Fallback),
        ("/odd", "http://localhost:3000", Disposition::Fallback),
    ] {
        let answer = app.resolve(url).await.unwrap();
        assert_eq!((answer.url.as_str(), answer.disposition()), (wanted, disposition), "{url}");
    }
    assert_eq!(app.sign_in("ada").await.redirect_to, "http://localhost:3000/start");
}

#[tokio::test]
async fn who_agrees_with_a_redirect_changes_nothing_of_it() {
    let app = app("    redirect: url\n").await;
    for (url, wanted, disposition) in [
        ("/orders", "http://localhost:3000/orders", Disposition::Relative),
        ("http://localhost:3000/orders", "http://localhost:3000/orders", Disposition::SameOrigin),
        ("https://evil.example/", "http://localhost:3000", Disposition::Fallback),
    ] {
        let answer = app.resolve(url).await.unwrap();
        assert_eq!((answer.url.as_str(), answer.disposition()), (wanted, disposition), "{url}");
    }
}

#[tokio::test]
async fn an_invalid_redirect_is_not_followed() {
    for expression in ["true", "null", "[url]", "url[0]"] {
        let app = app(&format!("    redirect: \"{expression}\"\n")).await;
        assert_eq!(refusal(app.resolve("/x").await), unavailable(), "{expression}");
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable(), "{expression}");
        assert_eq!(app.counts().await, [0, 0, 0]);
    }
}

#[tokio::test]
async fn both_strategies_give_the_same_outcomes() {
    let mut told = Vec::new();
    for strategy in ["jwt", "database"] {
        let yaml = with_strategy("session: {update_allow: [theme]}\n".to_owned(), strategy);
        let cel = "callbacks:
  cel:
    sign_in: profile.email_verified
    jwt:
      login: profile.?login
      count: \"has(token.count) ? token.count + 1 : 1\"
      who: user.name + ' ' + user.role
    session:
      more: token.count * 10
      ends: session.access_token_expires_at
      name: \"null\"
";
        let cel = cel.replace("      name: \"null\"\n", "");
        let app = builder().config(&yaml).config(&cel).start().await;
        let grant =
            allowed(app.try_sign_in(with_raw("ada", [("login", text("lovelace"))])).await).grant.unwrap();
        let issued = app.issue(&grant).await.unwrap();
        let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
        let read = app.session(&refreshed.access_token).await.unwrap().session;
        told.push([issued.session, refreshed.session, read].map(claims));
        if strategy == "jwt" {
            assert_eq!(decode(&issued.access_token).1["login"], json!("lovelace"));
        }
    }
    assert_eq!(told[0], told[1]);
    let wanted = json!({
        "login": "lovelace", "count": 2, "who": "ada user", "more": 20, "ends": "2026-01-01T00:15:00Z"
    });
    assert_eq!(told[0][2], wanted);
}

also_with_references!(
    a_sign_in_is_allowed_denied_or_sent_elsewhere,
    a_token_says_what_the_expressions_say,
    an_update_of_the_client_passes_the_expressions,
    a_jwt_expression_that_fails_spends_nothing,
    a_refresh_that_fails_spends_nothing,
    a_session_shows_what_the_expressions_say_and_keeps_none_of_it,
    a_session_that_can_not_be_told_is_not_told,
);
