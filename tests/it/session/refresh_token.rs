//! `RefreshToken`: returns the next two tokens of a session, with the current data of the user.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::auth::{Callback, JwtDecision};
use gatepass::grpc::proto::v1::{RefreshTokenRequest, RefreshTokenResponse, Rotation, User};
use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::support::callers::{caller, callers, key};
use crate::support::crowd::{at_once, patient};
use crate::support::gate::gate;
use crate::support::hooks::{claims, on_jwt};
use crate::support::strategy::also_with_references;
use crate::support::{START, TestApp, app, builder, claims_of, profile, reason, refusal, with_key};

async fn update(
    app: &TestApp,
    token: &str,
    fields: Vec<(&str, Kind)>,
) -> Result<RefreshTokenResponse, Status> {
    let fields = fields.into_iter().map(|(name, kind)| (name.to_owned(), Value { kind: Some(kind) }));
    let update = Some(Struct { fields: fields.collect() });
    let request = RefreshTokenRequest { refresh_token: token.to_owned(), update, ..Default::default() };
    app.refresh_token(request).await
}

fn text(value: &str) -> Kind {
    Kind::StringValue(value.to_owned())
}

/// Decodes the payload of a token.
fn payload(token: &str) -> serde_json::Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_answer_can_be_had_again() {
    let app = app().await;
    let first = app.tokens("ada").await.refresh_token;
    let rotated = app.refresh(&first).await.unwrap();
    assert_eq!(rotated.rotation(), Rotation::Rotated);
    app.clock.advance(Duration::from_secs(9));
    let replayed = app.refresh(&first).await.unwrap();
    assert_eq!(replayed.rotation(), Rotation::Replayed);
    assert_eq!(replayed.refresh_token, rotated.refresh_token);
    assert_ne!(replayed.access_token, rotated.access_token);
    assert_eq!(app.log().await.last().unwrap(), "TOKEN_REPLAYED SUCCESS");
}

#[tokio::test]
async fn an_old_token_ends_its_session() {
    let app = app().await;
    let first = app.tokens("ada").await.refresh_token;
    let second = app.refresh(&first).await.unwrap().refresh_token;
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(refusal(app.refresh(&first).await), (Code::Unauthenticated, "REFRESH_REUSED".to_owned()));
    assert_eq!(reason(app.refresh(&second).await), "SESSION_REVOKED");
    // Every token of the session now gets the reason that it has ended, and no second alarm is raised.
    assert_eq!(reason(app.refresh(&first).await), "SESSION_REVOKED");
    let alarms =
        app.log().await.iter().filter(|line| *line == "REFRESH_REUSED FAILED REFRESH_REUSED").count();
    assert_eq!(alarms, 1);
}

#[tokio::test]
async fn of_a_session_that_ended_for_reuse_no_token_counts() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let bystander = app.tokens("ada").await;
    let second = app.refresh(&issued.refresh_token).await.unwrap();
    // A refresh leaves earlier access tokens valid.
    for token in [&issued.access_token, &second.access_token] {
        app.session(token).await.unwrap();
    }
    let third = app.refresh(&second.refresh_token).await.unwrap();
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(reason(app.refresh(&issued.refresh_token).await), "REFRESH_REUSED");
    for token in [&issued.access_token, &second.access_token, &third.access_token] {
        assert_eq!(refusal(app.session(token).await), (Code::Unauthenticated, "SESSION_REVOKED".to_owned()));
    }
    assert_eq!(app.query("SELECT end_reason FROM sessions ORDER BY rowid").await, [["REUSED"], [""]]);
    app.session(&bystander.access_token).await.unwrap();
    app.refresh(&bystander.refresh_token).await.unwrap();
}

#[tokio::test]
async fn without_a_window_the_second_use_is_reuse() {
    let app = builder().config("session: {refresh_retry_window: 0s}").start().await;
    let first = app.tokens("ada").await.refresh_token;
    app.refresh(&first).await.unwrap();
    assert_eq!(reason(app.refresh(&first).await), "REFRESH_REUSED");
}

#[tokio::test]
async fn a_rotation_by_a_clock_that_was_ahead_opens_no_longer_window() {
    for (ahead, wanted) in
        [(9_999, None), (10_001, Some("REFRESH_REUSED")), (172_800_000, Some("REFRESH_REUSED"))]
    {
        let app = app().await;
        let first = app.tokens("ada").await.refresh_token;
        app.refresh(&first).await.unwrap();
        app.set("sessions", &format!("rotated_at = rotated_at + {ahead}")).await;
        let again = app.refresh(&first).await;
        match wanted {
            None => assert_eq!(again.unwrap().rotation(), Rotation::Replayed),
            Some(wanted) => assert_eq!(reason(again), wanted, "{ahead}"),
        }
    }
}

#[tokio::test]
async fn without_a_window_no_clock_opens_one() {
    let app = builder().config("session: {refresh_retry_window: 0s}").start().await;
    let first = app.tokens("ada").await.refresh_token;
    app.refresh(&first).await.unwrap();
    app.set("sessions", "rotated_at = rotated_at + 1000").await;
    assert_eq!(reason(app.refresh(&first).await), "REFRESH_REUSED");
}

#[tokio::test]
async fn a_late_retry_can_be_recovered_while_its_successor_is_unused() {
    let app = builder().config("session: {late_retry: recover}").start().await;
    let first = app.tokens("ada").await.refresh_token;
    let lost = app.refresh(&first).await.unwrap().refresh_token;
    app.clock.advance(Duration::from_mins(1));
    let recovered = app.refresh(&first).await.unwrap();
    assert_eq!(recovered.rotation(), Rotation::Recovered);
    assert_ne!(recovered.refresh_token, lost);
    assert_eq!(reason(app.refresh(&lost).await), "REFRESH_REUSED");
    assert_eq!(reason(app.refresh(&recovered.refresh_token).await), "SESSION_REVOKED");
}

#[tokio::test]
async fn a_recovery_can_be_repeated_and_only_its_last_token_is_live() {
    let app = builder().config("session: {late_retry: recover}").start().await;
    let first = app.tokens("ada").await.refresh_token;
    let mut successors = vec![app.refresh(&first).await.unwrap().refresh_token];
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(10));
        let recovered = app.refresh(&first).await.unwrap();
        assert_eq!(recovered.rotation(), Rotation::Recovered);
        assert!(!successors.contains(&recovered.refresh_token));
        let replayed = app.refresh(&first).await.unwrap();
        assert_eq!(replayed.rotation(), Rotation::Replayed);
        assert_eq!(replayed.refresh_token, recovered.refresh_token);
        successors.push(recovered.refresh_token);
    }
    let used = app.refresh(&successors[3]).await.unwrap();
    assert_eq!(used.rotation(), Rotation::Rotated);
    app.clock.advance(Duration::from_secs(10));
    // Its successor was used: a token before the direct predecessor recovers nothing.
    assert_eq!(reason(app.refresh(&first).await), "REFRESH_REUSED");
    assert_eq!(reason(app.refresh(&used.refresh_token).await), "SESSION_REVOKED");
}

#[tokio::test]
async fn a_banned_or_revoked_user_gets_no_token() {
    let app = app().await;
    let [one, two] = [app.tokens("ada").await, app.tokens("ada").await];
    let user = one.session.unwrap().user.unwrap().id.unwrap();
    let spent = one.refresh_token;
    let live = app.refresh(&spent).await.unwrap().refresh_token;
    app.revoke_user_sessions(&user).await.unwrap();
    for token in [&spent, &live, &two.refresh_token] {
        assert_eq!(reason(app.refresh(token).await), "SESSION_REVOKED");
    }
    let three = app.tokens("ada").await.refresh_token;
    app.ban(&user).await;
    for token in [&spent, &live, &three] {
        assert_eq!(refusal(app.refresh(token).await), (Code::Unauthenticated, "USER_BANNED".to_owned()));
    }
    app.unban(&user).await;
    for token in [&spent, &live, &three] {
        assert_eq!(reason(app.refresh(token).await), "SESSION_REVOKED");
    }
    assert!(!app.log().await.iter().any(|line| line.starts_with("REFRESH_REUSED")));
}

#[tokio::test]
async fn times_are_whole_seconds_and_the_same_everywhere() {
    let app = builder().config("session: {idle_ttl: 1h, max_age: 90m}").start().await;
    app.clock.advance(Duration::from_millis(1_999));
    let mut token = app.tokens("ada").await.refresh_token;
    for (at, end) in [(601_999, 600 + 3601), (1_802_500, 1 + 90 * 60), (1_802_999, 1 + 90 * 60)] {
        app.clock.set(START.plus(Duration::from_millis(at)));
        let answer = app.refresh(&token).await.unwrap();
        let expires_at = answer.refresh_token_expires_at.unwrap();
        assert_eq!((expires_at.seconds - START.seconds(), expires_at.nanos), (end, 0));
        assert_eq!(answer.session.as_ref().unwrap().expires_at, Some(expires_at));
        let at = i64::try_from(at).unwrap() / 1000;
        let access = answer.access_token_expires_at.unwrap();
        assert_eq!((access.seconds - START.seconds(), access.nanos), (at + 900, 0));
        assert_eq!(app.session(&answer.access_token).await.unwrap().session, answer.session);
        token = answer.refresh_token;
    }
    app.clock.set(START.plus(Duration::from_secs(1 + 90 * 60)));
    assert_eq!(reason(app.refresh(&token).await), "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_session_that_is_over_says_so_before_anything_else() {
    let app = builder().config("session: {idle_ttl: 1h, max_age: 2h}").start().await;
    let idle = app.tokens("ada").await.refresh_token;
    let older = app.refresh(&idle).await.unwrap().refresh_token;
    let newest = app.refresh(&older).await.unwrap();
    app.clock.advance(Duration::from_hours(1));
    for token in [&idle, &older, &newest.refresh_token] {
        assert_eq!(reason(app.refresh(token).await), "SESSION_EXPIRED");
    }
    assert!(!app.log().await.iter().any(|line| line.starts_with("REFRESH_REUSED")));
}

#[tokio::test]
async fn no_session_outlives_its_absolute_age() {
    let app = builder().config("session: {idle_ttl: 1h, max_age: 90m}").start().await;
    let issued = app.tokens("ada").await;
    let end = |answer: Option<prost_types::Timestamp>| answer.unwrap().seconds - START.seconds();
    assert_eq!(end(issued.refresh_token_expires_at), 3600);
    app.clock.advance(Duration::from_mins(50));
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(end(refreshed.refresh_token_expires_at), 90 * 60);
    assert_eq!(refreshed.session.unwrap().expires_at, refreshed.refresh_token_expires_at);
    app.clock.advance(Duration::from_mins(35));
    let last = app.refresh(&refreshed.refresh_token).await.unwrap();
    // An access token never outlives its session.
    assert_eq!(end(last.access_token_expires_at), 90 * 60);
    app.clock.advance(Duration::from_mins(5));
    assert_eq!(reason(app.refresh(&last.refresh_token).await), "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_token_newer_than_the_row_means_a_restored_database() {
    let app = app().await;
    let first = app.tokens("ada").await.refresh_token;
    let row = "refresh_hash = (SELECT refresh_hash FROM kept), generation = (SELECT generation FROM kept), \
               previous_hash = NULL, version = version + 1";
    app.execute("CREATE TABLE kept AS SELECT refresh_hash, generation FROM sessions").await;
    let mut newest = first.clone();
    for _ in 0..2 {
        newest = app.refresh(&newest).await.unwrap().refresh_token;
    }
    app.set("sessions", row).await;
    assert_eq!(reason(app.refresh(&newest).await), "SESSION_EXPIRED");
    assert_eq!(app.refresh(&first).await.unwrap().rotation(), Rotation::Rotated);
}

#[tokio::test]
async fn a_refresh_token_that_was_never_issued_is_refused() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let good = issued.refresh_token;
    let other_prefix = good.replacen("gpr_", "gpg_", 1);
    let cut = &good[..good.len() - 1];
    let bend = |at: usize| {
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    };
    let mut forged: Vec<String> = (4..good.len()).step_by(9).map(bend).collect();
    forged.extend(
        [
            "",
            "gpr_",
            "GPR_",
            "x",
            cut,
            &good[4..],
            &other_prefix,
            &issued.access_token,
            &format!("{good}A"),
            &format!("{good}="),
            &format!(" {good}"),
            &format!("{good}\n"),
            &format!("{good}{good}"),
            &good.replacen("gpr_", "gpr-", 1),
            &format!("gpr_{}", "A".repeat(128)),
            &format!("gpr_{}", "é".repeat(64)),
            &"g".repeat(50_000),
        ]
        .map(str::to_owned),
    );
    app.take_statements();
    for bad in &forged {
        assert_eq!(
            refusal(app.refresh(bad).await),
            (Code::Unauthenticated, "REFRESH_INVALID".to_owned()),
            "{bad}"
        );
    }
    assert_eq!(app.take_statements(), [""; 0]);
    assert_eq!(app.refresh(&good).await.unwrap().rotation(), Rotation::Rotated);
}

#[tokio::test]
async fn a_refresh_token_is_for_the_group_that_opened_its_session() {
    let allow = "allow: [sign_in, sign_in.assert]";
    let entries = [
        caller("shop", &format!("group: web, {allow}")),
        caller("blog", &format!("group: web, {allow}")),
        caller("other", allow),
    ];
    let app = builder().config(&callers(&entries)).start().await;
    let mut client = app.auth.clone();
    let signed_in = client.sign_in(with_key(profile("ada"), &key("shop"))).await;
    let grant = crate::support::allowed(signed_in).grant.unwrap();
    let request = gatepass::grpc::proto::v1::IssueTokenRequest { grant, ..Default::default() };
    let token = client.issue_token(with_key(request, &key("shop"))).await.unwrap().into_inner().refresh_token;
    let request = || RefreshTokenRequest { refresh_token: token.clone(), ..Default::default() };
    assert_eq!(reason(client.refresh_token(with_key(request(), &key("other"))).await), "REFRESH_INVALID");
    client.refresh_token(with_key(request(), &key("blog"))).await.unwrap();
}

#[tokio::test]
async fn a_refresh_tells_the_user_as_it_is_now() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let id = issued.session.unwrap().user.unwrap().id.unwrap();
    let user = User {
        id,
        role: "admin".to_owned(),
        name: Some("Countess".to_owned()),
        email: Some("countess@example.com".to_owned()),
        ..Default::default()
    };
    app.update(user, &["role", "name", "email"]).await.unwrap();
    let answer = app.refresh(&issued.refresh_token).await.unwrap();
    let told = answer.session.unwrap().user.unwrap();
    assert_eq!((told.role.as_deref(), told.name.as_deref()), (Some("admin"), Some("Countess")));
    assert_eq!((told.email.as_deref(), told.email_verified), (Some("countess@example.com"), false));
    // The token itself, as services read it that verify it offline.
    let payload = payload(&answer.access_token);
    assert_eq!(
        [&payload["role"], &payload["name"], &payload["email"], &payload["email_verified"]],
        [&json!("admin"), &json!("Countess"), &json!("countess@example.com"), &json!(false)]
    );
}

#[tokio::test]
async fn an_update_changes_what_it_may_and_is_kept() {
    let app = builder().config("session: {update_allow: [theme, locale_choice]}").start().await;
    let first = app.tokens("ada").await.refresh_token;
    let fields =
        vec![("theme", text("dark")), ("tenant", text("evil")), ("role", text("admin")), ("sub", text("x"))];
    let updated = update(&app, &first, fields).await.unwrap();
    assert_eq!(claims_of(updated.session.as_ref()), json!({"theme": "dark"}));
    assert_eq!(updated.session.clone().unwrap().user.unwrap().role.as_deref(), Some("user"));
    let kept = app.refresh(&updated.refresh_token).await.unwrap();
    assert_eq!(claims_of(kept.session.as_ref()), json!({"theme": "dark"}));
    // A replay accepts an update too.
    let replayed = update(&app, &updated.refresh_token, vec![("locale_choice", text("de"))]).await.unwrap();
    assert_eq!(replayed.rotation(), Rotation::Replayed);
    assert_eq!(claims_of(replayed.session.as_ref()), json!({"theme": "dark", "locale_choice": "de"}));
    let removed = update(&app, &replayed.refresh_token, vec![("theme", Kind::NullValue(0))]).await.unwrap();
    assert_eq!(claims_of(removed.session.as_ref()), json!({"locale_choice": "de"}));
}

#[tokio::test]
async fn an_update_is_hostile_input() {
    let app = builder().config("session: {update_allow: [a]}").start().await;
    let token = app.tokens("ada").await.refresh_token;
    for kind in [Kind::NumberValue(f64::NAN), Kind::NumberValue(f64::INFINITY), Kind::NumberValue(1e17)] {
        let refused = refusal(update(&app, &token, vec![("a", kind)]).await);
        assert_eq!(refused, (Code::InvalidArgument, "INVALID_REQUEST".to_owned()));
    }
    let large = update(&app, &token, vec![("a", text(&"x".repeat(9000)))]).await;
    assert_eq!(refusal(large), (Code::FailedPrecondition, "CLAIMS_TOO_LARGE".to_owned()));
    let too_large_for_a_token = update(&app, &token, vec![("a", text(&"x".repeat(5000)))]).await;
    assert_eq!(refusal(too_large_for_a_token), (Code::FailedPrecondition, "CLAIMS_TOO_LARGE".to_owned()));
    assert_eq!(app.refresh(&token).await.unwrap().rotation(), Rotation::Rotated);
}

fn nested(levels: usize) -> Kind {
    (1..levels).fold(Kind::BoolValue(true), |inner, _| {
        Kind::ListValue(ListValue { values: vec![Value { kind: Some(inner) }] })
    })
}

#[tokio::test]
async fn an_update_keeps_numbers_whole_and_nesting_bounded() {
    let app = builder().config("session: {update_allow: [a]}").start().await;
    let token = app.tokens("ada").await.refresh_token;
    let invalid = (Code::InvalidArgument, "INVALID_REQUEST".to_owned());
    for (what, kind) in [
        ("above 2^53", Kind::NumberValue(9_007_199_254_740_994.0)),
        ("below -2^53", Kind::NumberValue(-9_007_199_254_740_994.0)),
        ("minus infinity", Kind::NumberValue(f64::NEG_INFINITY)),
        ("nested deep", nested(17)),
        ("nested deeper", nested(40)),
        ("nested beyond protobuf", nested(200)),
    ] {
        assert_eq!(refusal(update(&app, &token, vec![("a", kind.clone())]).await), invalid, "{what}");
        // A field outside `update_allow` is ignored, but its value must still be valid.
        assert_eq!(refusal(update(&app, &token, vec![("b", kind)]).await), invalid, "{what}");
    }
    assert_eq!(refusal(update(&app, &token, vec![("", text("x"))]).await), invalid);
    let mut token = token;
    for kind in
        [Kind::NumberValue(9_007_199_254_740_992.0), Kind::NumberValue(-0.5), nested(16), text("é\u{0}\"\\")]
    {
        let updated = update(&app, &token, vec![("a", kind.clone())]).await.unwrap();
        assert_eq!(updated.rotation(), Rotation::Rotated);
        let kept = app.refresh(&updated.refresh_token).await.unwrap();
        assert_eq!(kept.session.as_ref().unwrap().claims.as_ref().unwrap().fields["a"].kind, Some(kind));
        assert_eq!(app.session(&kept.access_token).await.unwrap().session, kept.session);
        token = kept.refresh_token;
    }
}

#[tokio::test]
async fn an_update_that_is_refused_is_not_kept() {
    let hooks = on_jwt(|input| {
        let denied = input.claims.get("a").is_some_and(|a| a == "evil");
        assert_eq!(input.update.get("b"), None);
        Ok(if denied { JwtDecision::Deny(None) } else { claims(json!({})) })
    });
    let app = builder().config("session: {update_allow: [a]}").callbacks(hooks).start().await;
    let token = app.tokens("ada").await.refresh_token;
    let fields = || vec![("a", text("evil")), ("b", text("x"))];
    assert_eq!(reason(update(&app, &token, fields()).await), "CALLBACK_DENIED");
    let rotated = app.refresh(&token).await.unwrap();
    assert_eq!((rotated.rotation(), claims_of(rotated.session.as_ref())), (Rotation::Rotated, json!({})));
    // A replay is rejected in the same way, and ends nothing.
    assert_eq!(reason(update(&app, &token, fields()).await), "CALLBACK_DENIED");
    let replayed = app.refresh(&token).await.unwrap();
    assert_eq!(replayed.rotation(), Rotation::Replayed);
    assert_eq!(claims_of(app.refresh(&rotated.refresh_token).await.unwrap().session.as_ref()), json!({}));
}

#[tokio::test]
async fn the_jwt_callback_starts_from_what_it_added_before() {
    let hooks = on_jwt(|input| {
        let count = input.claims.get("count").and_then(serde_json::Value::as_i64).unwrap_or(0) + 1;
        let told =
            format!("{} {} {}", input.trigger.name(), input.account.is_some(), input.profile.is_some());
        Ok(claims(json!({"count": count, "told": told})))
    });
    let app = builder().callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    let first = issued.session.unwrap().claims.unwrap();
    assert_eq!(first.fields["told"].kind, Some(text("SIGN_UP true true")));
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(claims_of(refreshed.session.as_ref()), json!({"count": 2.0, "told": "UPDATE false false"}));
}

#[tokio::test]
async fn a_jwt_callback_that_refuses_or_fails_spends_nothing() {
    let (refuse, fail) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (refuses, fails) = (Arc::clone(&refuse), Arc::clone(&fail));
    let hooks = on_jwt(move |_| {
        if fails.load(Ordering::SeqCst) {
            return Err(Callback::Jwt.failed("it broke"));
        }
        let deny = refuses.load(Ordering::SeqCst);
        Ok(if deny { JwtDecision::Deny(Some("not now".to_owned())) } else { claims(json!({})) })
    });
    let app = builder().callbacks(hooks).start().await;
    let token = app.tokens("ada").await.refresh_token;
    refuse.store(true, Ordering::SeqCst);
    let denied = app.refresh(&token).await;
    assert_eq!(denied.as_ref().unwrap_err().message(), "not now");
    assert_eq!(refusal(denied), (Code::PermissionDenied, "CALLBACK_DENIED".to_owned()));
    assert_eq!(app.log().await.last().unwrap(), "TOKEN_DENIED DENIED CALLBACK_DENIED");
    fail.store(true, Ordering::SeqCst);
    assert_eq!(refusal(app.refresh(&token).await), (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned()));
    fail.store(false, Ordering::SeqCst);
    refuse.store(false, Ordering::SeqCst);
    assert_eq!(app.refresh(&token).await.unwrap().rotation(), Rotation::Rotated);
}

#[tokio::test]
async fn audiences_stay_unless_others_are_asked_for() {
    let app = builder().config("tokens: {audiences: [shop, blog]}").start().await;
    let token = app.tokens("ada").await.refresh_token;
    let ask = async |token: String, audiences: &[&str]| {
        let audiences = audiences.iter().map(ToString::to_string).collect();
        let request = RefreshTokenRequest { refresh_token: token, audiences, ..Default::default() };
        app.refresh_token(request).await
    };
    assert_eq!(reason(ask(token.clone(), &["shop", "bank"]).await), "INVALID_REQUEST");
    let shop = ask(token, &["shop"]).await.unwrap();
    let after = ask(shop.refresh_token, &[]).await.unwrap();
    assert_eq!(payload(&after.access_token)["aud"], json!(["shop"]));
    // A replay can request audiences too, and each name is listed once.
    let token = after.refresh_token;
    let blog = ask(token.clone(), &["blog", "shop", "blog"]).await.unwrap();
    assert_eq!(payload(&blog.access_token)["aud"], json!(["blog", "shop"]));
    let replayed = ask(token, &["blog"]).await.unwrap();
    assert_eq!((replayed.rotation(), &replayed.refresh_token), (Rotation::Replayed, &blog.refresh_token));
    assert_eq!(payload(&replayed.access_token)["aud"], json!(["blog"]));
    let last = ask(blog.refresh_token, &[]).await.unwrap();
    assert_eq!(payload(&last.access_token)["aud"], json!(["blog"]));
}

#[tokio::test]
async fn a_hundred_refreshes_at_once_have_one_successor() {
    let app = patient().start().await;
    let token = app.tokens("ada").await.refresh_token;
    let mut all = JoinSet::new();
    for _ in 0..100 {
        let (client, token) = (app.client.clone(), token.clone());
        all.spawn(async move { client.refresh(&token).await.unwrap() });
    }
    let answers = all.join_all().await;
    let successors: HashSet<_> = answers.iter().map(|answer| answer.refresh_token.clone()).collect();
    assert_eq!(successors.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.rotation() == Rotation::Rotated).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.rotation() == Rotation::Replayed).count(), 99);
    let next = app.refresh(successors.iter().next().unwrap()).await.unwrap();
    assert_eq!(next.rotation(), Rotation::Rotated);
}

#[tokio::test]
async fn no_update_is_lost_among_replays() {
    let app = builder().config("session: {update_allow: [a, b, c, d]}").start().await;
    let token = app.tokens("ada").await.refresh_token;
    let newest = app.refresh(&token).await.unwrap().refresh_token;
    let answers = futures_util::future::join_all(["a", "b", "c", "d"].map(|name| {
        let (app, token) = (&app, &token);
        async move { update(app, token, vec![(name, text(name))]).await.unwrap() }
    }));
    assert!(answers.await.iter().all(|answer| answer.refresh_token == newest));
    let wanted = json!({"a": "a", "b": "b", "c": "c", "d": "d"});
    assert_eq!(claims_of(app.refresh(&newest).await.unwrap().session.as_ref()), wanted);
}

#[tokio::test]
async fn retries_at_once_are_all_answered_though_each_changes_the_claims() {
    let hooks = on_jwt(|input| {
        let count = input.claims.get("count").and_then(serde_json::Value::as_i64).unwrap_or(0) + 1;
        Ok(claims(json!({"count": count})))
    });
    let app = patient().callbacks(hooks).start().await;
    let token = app.tokens("ada").await.refresh_token;
    let answers = at_once(50, |_| {
        let (client, token) = (app.client.clone(), token.clone());
        async move { client.refresh(&token).await }
    })
    .await;
    let answers: Vec<_> =
        answers.into_iter().map(|answer| answer.map_err(|s| reason::<()>(Err(s)))).collect();
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused, [""; 0]);
    let successors: HashSet<_> = answers.iter().flatten().map(|answer| &answer.refresh_token).collect();
    assert_eq!(successors.len(), 1);
    // A retry returns the same answer: claims that a callback added to it are returned and not stored.
    let next = app.refresh(successors.iter().next().unwrap()).await.unwrap();
    assert_eq!(claims_of(next.session.as_ref()), json!({"count": 3.0}));
}

#[tokio::test]
async fn retries_at_once_are_all_answered_though_each_asks_for_the_same_update() {
    let app = patient().config("session: {update_allow: [theme, gone]}").start().await;
    let token = app.tokens("ada").await.refresh_token;
    let fields = || {
        let fields = [("theme", text("dark")), ("gone", Kind::NullValue(0))];
        fields.map(|(name, kind)| (name.to_owned(), Value { kind: Some(kind) })).into()
    };
    let answers = at_once(50, |_| {
        let update = Some(Struct { fields: fields() });
        let request = RefreshTokenRequest { refresh_token: token.clone(), update, ..Default::default() };
        let client = app.client.clone();
        async move { client.refresh_token(request).await }
    })
    .await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.clone().err()).collect();
    assert_eq!(refused.into_iter().map(|status| reason::<()>(Err(status))).collect::<Vec<_>>(), [""; 0]);
    for answer in answers.iter().flatten() {
        assert_eq!(claims_of(answer.session.as_ref()), json!({"theme": "dark"}));
    }
}

#[tokio::test]
async fn nothing_is_accepted_after_a_revoke_was_answered() {
    let app = app().await;
    for round in 0..25 {
        let issued = app.tokens(&format!("p{round}")).await;
        let session_id = issued.session.unwrap().id.unwrap();
        let client = app.client.clone();
        let revoking = tokio::spawn(async move { client.revoke_session(&session_id).await.unwrap() });
        let racing = app.refresh(&issued.refresh_token).await;
        revoking.await.unwrap();
        let newest = racing.map_or(issued.refresh_token, |answer| answer.refresh_token);
        assert_eq!(reason(app.refresh(&newest).await), "SESSION_REVOKED");
    }
}

/// Refreshes without borrowing the app.
fn refreshing_apart(
    app: &TestApp,
    token: &str,
) -> impl Future<Output = Result<RefreshTokenResponse, Status>> + use<> {
    let (client, token) = (app.client.clone(), token.to_owned());
    async move { client.refresh(&token).await }
}

#[tokio::test]
async fn who_loses_the_race_for_a_token_gets_the_winners_successor() {
    let (gate, callbacks) = gate();
    let app = builder().callbacks(callbacks).start().await;
    let token = app.tokens("ada").await.refresh_token;
    let mut won = String::new();
    let lost = gate
        .hold(refreshing_apart(&app, &token), async {
            let winner = app.refresh(&token).await.unwrap();
            assert_eq!(winner.rotation(), Rotation::Rotated);
            won = winner.refresh_token;
        })
        .await
        .unwrap();
    assert_eq!((lost.rotation(), lost.refresh_token), (Rotation::Replayed, won));
}

#[tokio::test]
async fn a_replay_answers_the_token_that_is_live_once_it_ends() {
    let (gate, callbacks) = gate();
    let app = builder().callbacks(callbacks).start().await;
    let first = app.tokens("ada").await.refresh_token;
    let second = app.refresh(&first).await.unwrap().refresh_token;
    let mut third = String::new();
    let late = gate
        .hold(refreshing_apart(&app, &first), async {
            third = app.refresh(&second).await.unwrap().refresh_token;
        })
        .await
        .unwrap();
    assert_eq!((late.rotation(), late.refresh_token), (Rotation::Replayed, third));
}

#[tokio::test]
async fn a_session_that_ends_while_a_callback_thinks_gets_no_token() {
    let (gate, callbacks) = gate();
    let app = builder().callbacks(callbacks).start().await;
    for (how, wanted) in
        [("sign out", "SESSION_REVOKED"), ("revoke all", "SESSION_REVOKED"), ("ban", "USER_BANNED")]
    {
        for replay in [false, true] {
            let issued = app.tokens(&format!("{}-{replay}", how.replace(' ', "-"))).await;
            let user = issued.session.unwrap().user.unwrap().id.unwrap();
            if replay {
                app.refresh(&issued.refresh_token).await.unwrap();
            }
            let answer = gate.hold(refreshing_apart(&app, &issued.refresh_token), async {
                if how == "sign out" {
                    app.sign_out(&issued.access_token).await.unwrap();
                } else if how == "ban" {
                    app.ban(&user).await;
                } else {
                    app.revoke_user_sessions(&user).await.unwrap();
                }
            });
            assert_eq!(reason(answer.await), wanted, "{how}, replay: {replay}");
        }
    }
    assert!(!app.log().await.iter().any(|line| line.starts_with("TOKEN_REPLAYED")));
}

#[tokio::test]
async fn secrets_can_be_rotated_without_losing_a_session() {
    const OLD: &str = "'the first secret of a test, long enough'";
    const NEW: &str = "'the second secret of a test, long too'";
    // A managed signing key would be sealed with the old secret, so this app signs with a configured key.
    let app = builder().config(&crate::support::tokens("")).start().await;
    let first = app.tokens("ada").await.refresh_token;
    let second = app.refresh(&first).await.unwrap().refresh_token;
    let app = app.restart(|yaml| yaml.replace(OLD, &format!("{NEW}, {OLD}"))).await;
    // An answer that was lost before the change is returned again after it.
    let replayed = app.refresh(&first).await.unwrap();
    assert_eq!((replayed.rotation(), &replayed.refresh_token), (Rotation::Replayed, &second));
    let third = app.refresh(&second).await.unwrap().refresh_token;
    // Tokens of the new secret outlive the old secret; tokens of the old one do not.
    let app = app.restart(|yaml| yaml.replace(&format!(", {OLD}"), "")).await;
    assert_eq!(reason(app.refresh(&second).await), "REFRESH_INVALID");
    assert_eq!(app.refresh(&third).await.unwrap().rotation(), Rotation::Rotated);
}

also_with_references!(
    a_refresh_token_works_once_and_its_answer_can_be_had_again,
    of_a_session_that_ended_for_reuse_no_token_counts,
    a_banned_or_revoked_user_gets_no_token,
    times_are_whole_seconds_and_the_same_everywhere,
    no_session_outlives_its_absolute_age,
    an_update_changes_what_it_may_and_is_kept,
    an_update_keeps_numbers_whole_and_nesting_bounded,
    an_update_that_is_refused_is_not_kept,
    the_jwt_callback_starts_from_what_it_added_before,
    a_jwt_callback_that_refuses_or_fails_spends_nothing,
    a_hundred_refreshes_at_once_have_one_successor,
    no_update_is_lost_among_replays,
    retries_at_once_are_all_answered_though_each_changes_the_claims,
    retries_at_once_are_all_answered_though_each_asks_for_the_same_update,
    nothing_is_accepted_after_a_revoke_was_answered,
    a_session_that_ends_while_a_callback_thinks_gets_no_token,
    secrets_can_be_rotated_without_losing_a_session,
);
