//! The defects of Auth.js in section 8.2. Gatepass has none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::auth::{Callback, SignInDecision};
use gatepass::grpc::proto::v1::{
    DenialReason, GetUserRequest, ProfileCredential, SignInRequest, get_user_request, sign_in_response,
};
use serde_json::json;
use tonic::Code;

use super::{claims_of, resolve, sign_out, update_with};
use crate::support::crowd::{at_once, patient};
use crate::support::hooks::{claims, on_jwt, on_redirect, on_sign_in};
use crate::support::people::{denied, proto_time};
use crate::support::strategy::also_with_references;
use crate::support::{START, TestApp, allowed, app, builder, credential, profile, reason, refusal};

/// Builds the sign-in of a person of a provider, with this verified e-mail.
fn of(provider: &str, id: &str, email: &str) -> SignInRequest {
    credential(ProfileCredential {
        provider: provider.to_owned(),
        provider_account_id: id.to_owned(),
        email: Some(email.to_owned()),
        email_verified: true,
        ..Default::default()
    })
}

async fn user_by_email(app: &TestApp, email: &str) -> String {
    let key = Some(get_user_request::Key::Email(email.to_owned()));
    app.admin.clone().get_user(GetUserRequest { key }).await.unwrap().into_inner().user.unwrap().id
}

/// 3: `WebAuthn` ignores the URL of `signIn` and lets the person in.
#[tokio::test]
async fn a_redirect_by_sign_in_works_for_every_kind_of_credential() {
    let app =
        builder().callbacks(on_sign_in(|_| Ok(SignInDecision::Redirect("/terms".to_owned())))).start().await;
    for provider in ["webauthn", "passkey", "credentials", "email", "github"] {
        match app.try_sign_in(of(provider, "1", "ada@example.com")).await.unwrap().into_inner().outcome {
            Some(sign_in_response::Outcome::Redirect(sent)) => {
                assert_eq!(sent.url, "http://localhost:3000/terms", "{provider}");
            }
            other => panic!("{provider}: {other:?}"),
        }
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
}

/// 4: `createUser` is emitted for a user who was not created.
#[tokio::test]
async fn a_sign_up_is_logged_only_where_a_user_was_created() {
    let app = builder().config("sign_in: {allowed_email_domains: [example.com]}").start().await;
    for (request, logged) in [
        (of("github", "1", "ada@example.com"), "SIGN_UP SUCCESS"),
        (of("github", "1", "ada@example.com"), "SIGN_IN SUCCESS"),
        (of("google", "1", "ada@example.com"), "SIGN_IN_DENIED DENIED ACCOUNT_NOT_LINKED"),
        (of("google", "2", "eve@example.net"), "SIGN_IN_DENIED DENIED EMAIL_NOT_ALLOWED"),
        (of("google", "3", "bob@example.com"), "SIGN_UP SUCCESS"),
    ] {
        app.try_sign_in(request).await.unwrap();
        let log = app.log().await;
        assert_eq!(log.last().unwrap(), logged);
        let sign_ups = log.iter().filter(|line| line.starts_with("SIGN_UP")).count();
        assert_eq!(app.counts().await[0] as usize, sign_ups);
    }
}

/// 5: with `updateAge` at or above `maxAge` a session is never extended, and its returned end is stale.
#[tokio::test]
async fn every_refresh_extends_the_session_and_tells_its_new_end() {
    let app = builder().config("session: {idle_ttl: 1h, max_age: 3h}").start().await;
    let mut token = app.tokens("ada").await.refresh_token;
    let (mut now, end) = (START, START.plus(Duration::from_hours(3)));
    for _ in 0..3 {
        app.clock.advance(Duration::from_mins(59));
        now = now.plus(Duration::from_mins(59));
        let refreshed = app.refresh(&token).await.unwrap();
        let ends = now.plus(Duration::from_hours(1)).min(end);
        let told = Some(proto_time(ends));
        assert_eq!((refreshed.refresh_token_expires_at, refreshed.session.unwrap().expires_at), (told, told));
        let read = app.session(&refreshed.access_token).await.unwrap().session.unwrap();
        assert_eq!(read.expires_at, told);
        assert_eq!(app.query("SELECT expires_at FROM sessions").await, [[ends.millis().to_string()]]);
        token = refreshed.refresh_token;
    }
    // An active session still ends, which a session of Auth.js never does.
    app.clock.advance(Duration::from_mins(3));
    assert_eq!(reason(app.refresh(&token).await), "SESSION_EXPIRED");
}

/// 6: of concurrent updates the last one wins, and the others are lost.
#[tokio::test]
async fn of_updates_at_once_none_is_lost() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let config = format!("session: {{update_allow: [{}], refresh_retry_window: 5m}}", names.join(", "));
    let app = Arc::new(patient().config(&config).start().await);
    let token = app.tokens("ada").await.refresh_token;
    let answers = at_once(names.len(), |number| {
        let (app, token) = (Arc::clone(&app), token.clone());
        async move { update_with(&app, &token, json!({names[number]: "x"})).await.unwrap() }
    })
    .await;
    let successors: BTreeSet<_> = answers.into_iter().map(|answer| answer.refresh_token).collect();
    assert_eq!(successors.len(), 1);
    let last = app.refresh(successors.first().unwrap()).await.unwrap();
    let wanted = names.map(|name| (name.to_owned(), json!("x")));
    assert_eq!(claims_of(last.session.as_ref()), json!(BTreeMap::from(wanted)));
}

/// URLs that section 3.3 tries on the redirect rule of Auth.js: some throw, and some pass although they should not.
const HOSTILE: [&str; 45] = [
    "//evil.com",
    "///evil.com",
    "/\\evil.com",
    "/\t/evil.com",
    "/..//evil.com",
    "/x\r\nSet-Cookie:a=1",
    "\thttps://app.example.com/x",
    "https:/app.example.com/x",
    "https:app.example.com/x",
    "https:\\\\app.example.com\\x",
    "https://app.example.com\\@evil.com/",
    "https://user:pw@app.example.com/x",
    "blob:https://app.example.com/id",
    "https://app.example.com@evil.com",
    "https://app.example.com.evil.com",
    "https://app.example.com%2eevil.com",
    "https://app.example.com./",
    "http://app.example.com/",
    "https://app.example.com:8443/x",
    "https://app.exаmple.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "filesystem:https://app.example.com/x",
    "file:///etc/passwd",
    "ftp://app.example.com/",
    "mailto:ada@example.com",
    "myapp://cb",
    "dashboard",
    "?x=1",
    "#f",
    "./x",
    "@evil.com",
    ":8443/x",
    "\\\\evil.com",
    " /dash",
    "null",
    "undefined",
    "http://[::1",
    "https://%zz",
    "",
    "\0",
    "/%2f%2fevil.com",
    "/%5cevil.com",
    "/a/../../evil.com",
    "https://",
];

/// 7: `new URL` throws for invalid input; `blob:`, userinfo, backslashes and line breaks pass.
#[tokio::test]
async fn no_url_throws_and_none_leaves_the_site() {
    const BASE: &str = "https://app.example.com";
    let place = Arc::new(Mutex::new(String::new()));
    let (of_sign_in, of_redirect) = (Arc::clone(&place), Arc::clone(&place));
    let hooks = on_sign_in(move |input| {
        let url = of_sign_in.lock().unwrap().clone();
        let waiting = input.account.provider_account_id.as_str() == "waiting";
        Ok(if waiting { SignInDecision::Redirect(url) } else { SignInDecision::Allow })
    });
    let answers = on_redirect(move |input| {
        let url = of_redirect.lock().unwrap().clone();
        Ok(input.url.ends_with("/elsewhere").then_some(url))
    });
    let bases = "base_urls: ['https://app.example.com']";
    let app = builder().config(bases).callbacks(hooks.and(answers)).start().await;
    for hostile in HOSTILE {
        hostile.clone_into(&mut place.lock().unwrap());
        let request = SignInRequest { redirect_to: hostile.to_owned(), ..profile("ada") };
        let after_sign_in = allowed(app.try_sign_in(request).await).redirect_to;
        let instead = match app.try_sign_in(profile("waiting")).await {
            // An empty URL is an invalid answer.
            Err(status) if hostile.is_empty() && status.code() == Code::Unavailable => BASE.to_owned(),
            answer => match answer.unwrap().into_inner().outcome {
                Some(sign_in_response::Outcome::Redirect(instead)) => instead.url,
                outcome => panic!("{outcome:?}"),
            },
        };
        let by_callback = resolve(&app, "/elsewhere").await.unwrap().0;
        let resolved = resolve(&app, hostile).await.unwrap().0;
        for url in [after_sign_in, instead, by_callback, resolved] {
            // Under any parsing rules the URL stays on the site: it is the base, or a plain URL below it.
            assert_eq!(url, BASE, "{hostile:?}");
        }
    }
}

/// 10: a sign-up that fails half way leaves a user who can never sign in; the e-mail look-up is case-sensitive.
#[tokio::test]
async fn a_sign_up_that_fails_leaves_nothing_and_can_be_repeated() {
    let app = app().await;
    for table in ["accounts", "sessions", "auth_logs"] {
        app.execute(&format!("ALTER TABLE {table} RENAME TO away")).await;
        let refused = app.try_sign_in(of("github", table, &format!("{table}@example.com"))).await;
        assert_eq!(refusal(refused), (Code::Internal, "INTERNAL".to_owned()), "{table}");
        app.execute(&format!("ALTER TABLE away RENAME TO {table}")).await;
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    for table in ["accounts", "sessions", "auth_logs"] {
        let again = app.try_sign_in(of("github", table, &format!("{table}@example.com"))).await;
        assert!(allowed(again).is_new_user, "{table}");
    }
}

/// 10, its second half.
#[tokio::test]
async fn an_email_is_the_same_in_any_case() {
    let app = app().await;
    let user = allowed(app.try_sign_in(of("github", "1", "Ada@Example.COM")).await).user.unwrap();
    for spelled in ["ada@example.com", "ADA@EXAMPLE.COM", "aDa@example.com"] {
        let refused = denied(app.try_sign_in(of("google", spelled, spelled)).await);
        assert_eq!(refused.reason(), DenialReason::AccountNotLinked, "{spelled}");
        assert_eq!(user_by_email(&app, spelled).await, user.id, "{spelled}");
    }
    assert_eq!(app.counts().await, [1, 1, 1]);
}

/// 11: a sign-out with a bad URL does not sign out.
#[tokio::test]
async fn a_sign_out_depends_on_no_url_and_on_no_callback() {
    let hooks = on_redirect(|input| {
        let signing_in = input.url == input.base_url;
        if signing_in { Ok(None) } else { Err(Callback::Redirect.failed("down")) }
    });
    let app = builder().callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    // The redirect is a separate call, and its result neither ends nor keeps a session.
    assert_eq!(reason(resolve(&app, "/goodbye").await), "CALLBACK_UNAVAILABLE");
    assert_eq!(sign_out(&app, &issued.refresh_token).await.unwrap(), 1);
    assert_eq!(reason(app.session(&issued.access_token).await), "SESSION_REVOKED");
}

/// 14: all configurations of a process share their flags.
#[tokio::test]
async fn two_in_one_process_know_nothing_of_each_other() {
    let closed = "sign_in: {allow_sign_up: false}\nissuer: 'https://closed.example'";
    for closed_first in [true, false] {
        let first = builder().config(if closed_first { closed } else { "" }).start().await;
        let second = builder().config(if closed_first { "" } else { closed }).start().await;
        let (open, closed) = if closed_first { (second, first) } else { (first, second) };
        let issued = open.tokens("ada").await;
        assert_eq!(denied(closed.try_sign_in(profile("ada")).await).reason(), DenialReason::SignUpClosed);
        open.session(&issued.access_token).await.unwrap();
        let foreign = refusal(closed.session(&issued.access_token).await);
        assert_eq!(foreign.0, Code::Unauthenticated);
        assert_eq!(reason(closed.refresh(&issued.refresh_token).await), "SESSION_EXPIRED");
    }
}

/// 15: flows in progress are lost when the secret changes.
#[tokio::test]
async fn flows_and_sessions_go_on_after_a_secret_changes() {
    const OLD: &str = "'the first secret of a test, long enough'";
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let lost = app.tokens("bob").await;
    let newest = app.refresh(&lost.refresh_token).await.unwrap();
    let new_first = format!("'another secret of a test, long enough', {OLD}");
    let app = app.restart(|yaml| yaml.replace(OLD, &new_first)).await;
    app.issue(&grant).await.unwrap();
    app.session(&lost.access_token).await.unwrap();
    // An answer that was lost before the change is returned again after it.
    assert_eq!(app.refresh(&lost.refresh_token).await.unwrap().refresh_token, newest.refresh_token);
    app.refresh(&newest.refresh_token).await.unwrap();
}

/// 18: a session is returned although its token could not be created.
#[tokio::test]
async fn where_no_token_can_be_made_no_session_is_answered() {
    let bytes = Arc::new(Mutex::new(0));
    let size = Arc::clone(&bytes);
    let hooks = on_jwt(move |_| Ok(claims(json!({"heavy": "x".repeat(*size.lock().unwrap())}))));
    let app = builder().callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    let grant = app.sign_in("bob").await.grant.unwrap();
    *bytes.lock().unwrap() = 9 * 1024;
    let too_large = (Code::FailedPrecondition, "CLAIMS_TOO_LARGE".to_owned());
    assert_eq!(refusal(app.issue(&grant).await), too_large);
    assert_eq!(refusal(app.refresh(&issued.refresh_token).await), too_large);
    *bytes.lock().unwrap() = 1;
    app.issue(&grant).await.unwrap();
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(claims_of(refreshed.session.as_ref()), json!({"heavy": "x"}));
}

/// 19: an error page with a query gets a second `?`.
#[tokio::test]
async fn the_error_is_one_more_parameter_of_a_page_that_has_some() {
    let config = "sign_in: {denied_url: '/denied?from=gatepass', banned_url: '/banned?a=b&c'}";
    let hooks = on_sign_in(|input| {
        let eve = input.account.provider_account_id.as_str() == "eve";
        Ok(if eve { SignInDecision::deny("no") } else { SignInDecision::Allow })
    });
    let app = builder().config(config).callbacks(hooks).start().await;
    let user = app.sign_in("ada").await.user.unwrap();
    app.ban(&user.id).await;
    for (who, wanted) in [
        (profile("eve"), "/denied?from=gatepass&error=AccessDenied"),
        (profile("ada"), "/banned?a=b&c&error=AccessDenied"),
        (of("google", "1", "ada@example.com"), "/denied?from=gatepass&error=OAuthAccountNotLinked"),
    ] {
        let sent = denied(app.try_sign_in(who).await).redirect_to;
        assert_eq!(sent, format!("http://localhost:3000{wanted}"));
    }
}

also_with_references!(
    every_refresh_extends_the_session_and_tells_its_new_end,
    of_updates_at_once_none_is_lost,
    a_sign_out_depends_on_no_url_and_on_no_callback,
    two_in_one_process_know_nothing_of_each_other,
    flows_and_sessions_go_on_after_a_secret_changes,
    where_no_token_can_be_made_no_session_is_answered,
);
