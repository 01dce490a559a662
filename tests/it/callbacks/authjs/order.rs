//! The order of callbacks, and the rows that are written by then: section 1.2 of the table above.

use std::time::Duration;

use gatepass::grpc::proto::v1::{
    DenialReason, ProfileCredential, ResolveRedirectRequest, SignInRequest, sign_out_request,
};
use serde_json::json;

use super::{claims_of, sign_out, update_with};
use crate::support::hooks::{Hooks, claims, object, on_jwt, on_redirect, on_session};
use crate::support::people::{denied, proto_time};
use crate::support::provider::{Person, TestProvider};
use crate::support::signing_in::{entry, with_providers};
use crate::support::strategy::also_with_references;
use crate::support::witness::{Asked, asked};
use crate::support::{START, TestApp, allowed, builder, credential, profile, reason};

const MINUTE: Duration = Duration::from_mins(1);

/// Starts a Gatepass that logs everything, with callbacks that record their calls.
async fn witnessed(answers: Hooks) -> (TestApp, Asked) {
    let config = "auth_log: {exclude: []}\nsession: {update_allow: [theme]}";
    let (builder, asked) = builder().config(config).witness(answers);
    (builder.start().await, asked)
}

/// Returns the rows of the sessions.
async fn session_rows(app: &TestApp) -> Vec<Vec<String>> {
    let sql = "SELECT version, generation, refresh_count, expires_at, claims, refresh_hash AS hash, \
               end_reason FROM sessions ORDER BY rowid";
    app.query(sql).await
}

#[tokio::test]
async fn a_sign_up_calls_sign_in_redirect_jwt_and_session_in_this_order() {
    let (app, seen) = witnessed(Hooks::default()).await;
    let allowed = app.sign_in("ada").await;
    assert!(allowed.is_new_user);
    let nothing = [0, 0, 0, 0, 0];
    assert_eq!(
        seen.take(),
        [asked("sign_in of a new user", nothing), asked("redirect http://localhost:3000", nothing)]
    );
    assert_eq!(app.counts().await, [1, 1, 1]);
    app.issue(&allowed.grant.unwrap()).await.unwrap();
    let signed_up = [1, 1, 0, 0, 1];
    assert_eq!(seen.take(), [asked("jwt SIGN_UP", signed_up), asked("session", signed_up)]);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS"]);
}

#[tokio::test]
async fn a_sign_up_at_a_provider_calls_the_same_callbacks_in_the_same_order() {
    let provider = TestProvider::start().await;
    let (builder, seen) = with_providers(&[entry("corp", &provider, "")]).witness(Hooks::default());
    let app = builder.start().await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    assert_eq!(seen.take(), []);
    let allowed = allowed(app.try_sign_in(request).await);
    app.issue(&allowed.grant.unwrap()).await.unwrap();
    let (nothing, signed_up) = ([0, 0, 0, 0, 0], [1, 1, 0, 0, 1]);
    assert_eq!(
        seen.take(),
        [
            asked("sign_in of a new user", nothing),
            asked("redirect http://localhost:3000", nothing),
            asked("jwt SIGN_UP", signed_up),
            asked("session", signed_up),
        ]
    );
}

#[tokio::test]
async fn a_returning_sign_in_has_the_same_order_and_updates_the_profile() {
    let (app, seen) = witnessed(Hooks::default()).await;
    let first = app.sign_in("ada").await.user.unwrap();
    seen.take();
    app.clock.advance(MINUTE);
    let told = ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: "ada".to_owned(),
        name: Some("Ada Lovelace".to_owned()),
        ..Default::default()
    };
    let again = allowed(app.try_sign_in(credential(told)).await);
    app.issue(&again.grant.unwrap()).await.unwrap();
    let (before, after) = ([1, 1, 0, 0, 1], [1, 2, 0, 0, 2]);
    assert_eq!(
        seen.take(),
        [
            asked("sign_in of a known user", before),
            asked("redirect http://localhost:3000", before),
            asked("jwt SIGN_IN", after),
            asked("session", after),
        ]
    );
    let user = again.user.unwrap();
    assert_eq!((again.is_new_user, &user.id), (false, &first.id));
    // Auth.js updates neither of them.
    assert_eq!(user.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(user.last_sign_in_at, Some(proto_time(START.plus(MINUTE))));
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "SIGN_IN SUCCESS", "TOKEN_ISSUED SUCCESS"]);
}

#[tokio::test]
async fn a_second_sign_in_of_a_user_opens_a_second_session() {
    let (app, _) = witnessed(Hooks::default()).await;
    let first = app.tokens("ada").await;
    let row = session_rows(&app).await.remove(0);
    app.clock.advance(MINUTE);
    let second = app.tokens("ada").await;
    assert_ne!(first.session.unwrap().id, second.session.as_ref().unwrap().id);
    assert_eq!(session_rows(&app).await[0], row);
    sign_out(&app, &second.refresh_token).await.unwrap();
    app.session(&first.access_token).await.unwrap();
}

#[tokio::test]
async fn credentials_sign_in_by_the_same_path_as_any_provider() {
    let (app, seen) = witnessed(Hooks::default()).await;
    let told = ProfileCredential {
        provider: "credentials".to_owned(),
        provider_account_id: "ada".to_owned(),
        ..Default::default()
    };
    let allowed = allowed(app.try_sign_in(credential(told)).await);
    let issued = app.issue(&allowed.grant.unwrap()).await.unwrap();
    let session = app.session(&issued.access_token).await.unwrap().session.unwrap();
    assert_eq!(session.provider.as_deref(), Some("credentials"));
    assert_eq!(session.user.unwrap().id, Some(allowed.user.unwrap().id));
    let what: Vec<_> = seen.take().into_iter().map(|(what, _)| what).collect();
    let wanted =
        ["sign_in of a new user", "redirect http://localhost:3000", "jwt SIGN_UP", "session", "session"];
    assert_eq!(what, wanted);
}

#[tokio::test]
async fn the_built_in_rules_reject_a_sign_in_before_any_callback() {
    let config = "sign_in: {allowed_email_domains: [example.com]}";
    let (builder, seen) = builder().config(config).witness(Hooks::default());
    let app = builder.start().await;
    let known = app.sign_in("ada").await.user.unwrap();
    seen.take();
    let told = |provider: &str, email: &str| {
        credential(ProfileCredential {
            provider: provider.to_owned(),
            provider_account_id: "1".to_owned(),
            email: Some(email.to_owned()),
            email_verified: true,
            ..Default::default()
        })
    };
    let refused = async |request| denied(app.try_sign_in(request).await).reason();
    assert_eq!(refused(told("google", "ada@example.com")).await, DenialReason::AccountNotLinked);
    assert_eq!(refused(told("google", "eve@example.net")).await, DenialReason::EmailNotAllowed);
    app.ban(&known.id).await;
    assert_eq!(refused(profile("ada")).await, DenialReason::UserBanned);
    assert_eq!(seen.take(), []);
}

#[tokio::test]
async fn a_read_asks_session_alone_and_writes_nothing() {
    let (app, seen) = witnessed(Hooks::default()).await;
    let issued = app.tokens("ada").await;
    let (rows, log) = (session_rows(&app).await, app.log().await);
    seen.take();
    app.clock.advance(MINUTE);
    for _ in 0..2 {
        let session = app.session(&issued.access_token).await.unwrap().session.unwrap();
        // The answer shows the end in the row; the read does not extend it.
        assert_eq!(session.expires_at, issued.refresh_token_expires_at);
    }
    let written = [1, 1, 1, 0, 2];
    assert_eq!(seen.take(), [asked("session", written), asked("session", written)]);
    assert_eq!((session_rows(&app).await, app.log().await), (rows, log));
}

#[tokio::test]
async fn no_callback_is_called_for_a_session_that_has_ended() {
    let (app, seen) = witnessed(Hooks::default()).await;
    let [expired, ended] = [app.tokens("ada").await, app.tokens("bob").await];
    sign_out(&app, &ended.refresh_token).await.unwrap();
    seen.take();
    assert_eq!(reason(app.session(&ended.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(app.refresh(&ended.refresh_token).await), "SESSION_REVOKED");
    app.clock.advance(Duration::from_hours(24 * 30));
    assert_eq!(reason(app.session(&expired.access_token).await), "TOKEN_EXPIRED");
    assert_eq!(reason(app.refresh(&expired.refresh_token).await), "SESSION_EXPIRED");
    assert_eq!(seen.take(), []);
}

#[tokio::test]
async fn an_update_asks_jwt_for_what_may_change_then_session_then_rotates() {
    let hooks = on_jwt(|input| {
        if !input.update.is_empty() {
            assert_eq!(*input.update, object(json!({"theme": "dark"})));
            assert_eq!(*input.claims, object(json!({"made": "SIGN_UP", "theme": "dark"})));
            assert!(input.account.is_none() && input.profile.is_none());
        }
        Ok(claims(json!({"made": input.trigger.name()})))
    });
    let told = on_session(|input| {
        assert_eq!(*input.claims, *input.session.claims);
        Ok(object(json!({"told": input.claims["made"]})))
    });
    let (app, seen) = witnessed(hooks.and(told)).await;
    let issued = app.tokens("ada").await;
    seen.take();
    let change = json!({"theme": "dark", "made": "up", "role": "admin", "sub": "somebody"});
    let updated = update_with(&app, &issued.refresh_token, change).await.unwrap();
    let written = [1, 1, 1, 0, 2];
    assert_eq!(seen.take(), [asked("jwt UPDATE", written), asked("session", written)]);
    let wanted = json!({"made": "UPDATE", "theme": "dark", "told": "UPDATE"});
    assert_eq!(claims_of(updated.session.as_ref()), wanted);
    let session = app.session(&updated.access_token).await.unwrap().session;
    assert_eq!(claims_of(session.as_ref()), wanted);
    assert_eq!(session.unwrap().user.unwrap().role.as_deref(), Some("user"));
    assert_eq!(seen.take(), [asked("session", [1, 1, 1, 1, 3])]);
    // A replay calls the same callbacks, and writes only a log row.
    let rows = session_rows(&app).await;
    let again = app.refresh(&issued.refresh_token).await;
    assert_eq!(again.unwrap().refresh_token, updated.refresh_token);
    assert_eq!(seen.take().len(), 2);
    assert_eq!(session_rows(&app).await[0][1], rows[0][1], "the generation");
    assert_eq!(app.log().await[2..], ["TOKEN_REFRESHED SUCCESS", "TOKEN_REPLAYED SUCCESS"]);
}

#[tokio::test]
async fn a_sign_out_calls_no_callback_and_ends_the_tokens() {
    let (app, seen) = witnessed(Hooks::default()).await;
    for by in ["access", "refresh"] {
        let issued = app.tokens(by).await;
        seen.take();
        let credential = if by == "access" {
            sign_out_request::Credential::AccessToken(issued.access_token.clone())
        } else {
            sign_out_request::Credential::RefreshToken(issued.refresh_token.clone())
        };
        assert_eq!(super::sign_out_by(&app, credential).await.unwrap(), 1);
        assert_eq!(seen.take(), []);
        // Auth.js clears the cookie, but a copy of the cookie stays valid.
        assert_eq!(reason(app.session(&issued.access_token).await), "SESSION_REVOKED");
        assert_eq!(app.log().await.last().unwrap(), "SIGN_OUT SUCCESS");
    }
}

#[tokio::test]
async fn a_sign_out_of_nothing_is_no_event() {
    let (app, _) = witnessed(Hooks::default()).await;
    let issued = app.tokens("ada").await;
    assert_eq!(reason(sign_out(&app, "").await), "REFRESH_INVALID");
    assert_eq!(sign_out(&app, &issued.refresh_token).await.unwrap(), 1);
    assert_eq!(sign_out(&app, &issued.refresh_token).await.unwrap(), 0);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS", "SIGN_OUT SUCCESS"]);
}

#[tokio::test]
async fn the_redirect_callback_is_called_only_for_redirects() {
    let hooks = on_redirect(|input| Ok((input.url == input.base_url).then(|| "/start".to_owned())));
    let (app, seen) = witnessed(hooks).await;
    let request = SignInRequest { redirect_to: "/inbox".to_owned(), ..profile("ada") };
    let allowed = allowed(app.try_sign_in(request).await);
    assert_eq!(allowed.redirect_to, "http://localhost:3000/inbox");
    let issued = app.issue(&allowed.grant.unwrap()).await.unwrap();
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    app.session(&refreshed.access_token).await.unwrap();
    let request = ResolveRedirectRequest { url: "https://evil.example/".to_owned(), ..Default::default() };
    let resolved = app.auth.clone().resolve_redirect(request).await.unwrap().into_inner();
    assert_eq!(resolved.url, "http://localhost:3000/start");
    sign_out(&app, &refreshed.refresh_token).await.unwrap();
    let all = seen.take().into_iter().map(|(what, _)| what);
    let redirects: Vec<_> = all.filter(|what| what.starts_with("redirect")).collect();
    assert_eq!(redirects, ["redirect http://localhost:3000/inbox", "redirect http://localhost:3000"]);
}

also_with_references!(
    a_sign_up_calls_sign_in_redirect_jwt_and_session_in_this_order,
    a_returning_sign_in_has_the_same_order_and_updates_the_profile,
    a_second_sign_in_of_a_user_opens_a_second_session,
    credentials_sign_in_by_the_same_path_as_any_provider,
    a_read_asks_session_alone_and_writes_nothing,
    no_callback_is_called_for_a_session_that_has_ended,
    an_update_asks_jwt_for_what_may_change_then_session_then_rotates,
    a_sign_out_calls_no_callback_and_ends_the_tokens,
    the_redirect_callback_is_called_only_for_redirects,
);
