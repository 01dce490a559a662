//! `SignIn`: a profile that the caller vouches for becomes a user with a grant, or a denial that writes nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::auth::{Callback, SignInDecision};
use gatepass::grpc::proto::v1::{
    Client, DenialReason, IdTokenCredential, OAuthCallbackCredential, ProfileCredential, SignInRequest, User,
    sign_in_request, sign_in_response,
};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::support::crowd::{at_once, patient};
use crate::support::hooks::{on_redirect, on_sign_in};
use crate::support::{
    START, allowed, app, builder, credential, denied, fields, profile, proto_time, refusal,
};

const DAY_MILLIS: u64 = 86_400_000;
const DAY: Duration = Duration::from_millis(DAY_MILLIS);
const HALF_AN_HOUR: Duration = Duration::from_mins(30);

/// Builds a person of the provider `github`.
fn person(id: &str, email: Option<&str>, email_verified: bool) -> ProfileCredential {
    ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: id.to_owned(),
        email: email.map(str::to_owned),
        email_verified,
        ..Default::default()
    }
}

fn text(text: &str) -> Value {
    Value { kind: Some(Kind::StringValue(text.to_owned())) }
}

fn raw(name: &str, value: Value) -> Struct {
    Struct { fields: [(name.to_owned(), value)].into() }
}

#[tokio::test]
async fn a_new_person_becomes_a_user_with_an_account_and_a_grant() {
    let app = app().await;
    let allowed = allowed(
        app.try_sign_in(credential(ProfileCredential {
            name: Some("Ada".to_owned()),
            image: Some("https://example.com/ada.png".to_owned()),
            ..person("ada", Some("Ada@EXAMPLE.com"), true)
        }))
        .await,
    );
    assert!(allowed.is_new_user);
    assert!(!allowed.linked);
    assert!(allowed.provider_tokens.is_none());
    assert_eq!(allowed.redirect_to, "http://localhost:3000");
    assert!(allowed.grant.unwrap().starts_with("gpg_"));
    assert_eq!(allowed.grant_expires_at, Some(proto_time(START.plus(Duration::from_mins(1)))));
    let (user, account, now) = (allowed.user.unwrap(), allowed.account.unwrap(), Some(proto_time(START)));
    let wanted = User {
        id: user.id.clone(),
        etag: user.etag.clone(),
        email: Some("Ada@example.com".to_ascii_lowercase()),
        email_verified: true,
        name: Some("Ada".to_owned()),
        image: Some("https://example.com/ada.png".to_owned()),
        role: "user".to_owned(),
        created_at: now,
        updated_at: now,
        last_sign_in_at: now,
        ..Default::default()
    };
    assert_eq!(user, wanted);
    assert!(!user.etag.is_empty());
    assert_eq!((account.provider.as_str(), account.provider_account_id.as_str()), ("github", "ada"));
    assert_eq!((account.r#type.as_str(), account.scope, account.created_at), ("profile", None, now));
    assert_eq!(app.counts().await, [1, 1, 1]);
    let sql = "SELECT users.epoch AS epoch, caller_group, end_reason, \
               redeemed_at AS redeemed_at, refresh_hash AS refresh_hash \
               FROM users JOIN sessions ON sessions.user_id = users.id";
    assert_eq!(app.query(sql).await, [["0", "local", "", "", ""]]);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
}

#[tokio::test]
async fn a_returning_person_is_the_same_user_as_the_provider_tells_it_now() {
    let app = app().await;
    let first = app.sign_in("ada").await.user.unwrap();
    // This is within the hour, so the first session, with its unredeemed grant, is not swept.
    app.clock.advance(HALF_AN_HOUR);
    let again = allowed(
        app.try_sign_in(credential(ProfileCredential {
            name: Some("Ada Lovelace".to_owned()),
            image: Some("https://example.com/new.png".to_owned()),
            ..person("ada", Some("ada@example.com"), true)
        }))
        .await,
    );
    assert!(!again.is_new_user);
    let user = again.user.unwrap();
    let then = Some(proto_time(START.plus(HALF_AN_HOUR)));
    assert_eq!((&user.id, &user.created_at), (&first.id, &first.created_at));
    assert_eq!((user.last_sign_in_at, user.updated_at), (then, then));
    assert_eq!(user.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(user.image.as_deref(), Some("https://example.com/new.png"));
    assert_eq!(app.counts().await, [1, 1, 2]);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "SIGN_IN SUCCESS"]);
}

#[tokio::test]
async fn what_a_provider_does_not_tell_stays_as_it_was() {
    let app = app().await;
    let first = app.sign_in("ada").await.user.unwrap();
    app.clock.advance(DAY);
    let user = allowed(app.try_sign_in(credential(person("ada", None, false))).await).user.unwrap();
    let wanted = User { last_sign_in_at: Some(proto_time(START.plus(DAY))), ..first };
    assert_eq!(user, wanted);
}

#[tokio::test]
async fn a_sign_in_changes_an_email_unless_it_is_verified() {
    let app = app().await;
    for (row, (before, now, after)) in [
        ((None, false), (None, false), (None, false)),
        ((None, false), (Some("a"), false), (Some("a"), false)),
        ((None, false), (Some("a"), true), (Some("a"), true)),
        ((Some("a"), false), (Some("a"), true), (Some("a"), true)),
        ((Some("a"), false), (Some("b"), true), (Some("b"), true)),
        ((Some("a"), false), (Some("b"), false), (Some("b"), false)),
        ((Some("a"), false), (None, false), (Some("a"), false)),
        ((Some("a"), true), (Some("a"), false), (Some("a"), true)),
        ((Some("a"), true), (Some("b"), true), (Some("a"), true)),
        ((Some("a"), true), (Some("b"), false), (Some("a"), true)),
        ((Some("a"), true), (None, false), (Some("a"), true)),
    ]
    .into_iter()
    .enumerate()
    {
        let email = |name: Option<&str>| name.map(|name| format!("{name}{row}@example.com"));
        let sign_in = async |(name, verified)| {
            let told = person(&row.to_string(), email(name).as_deref(), verified);
            allowed(app.try_sign_in(credential(told)).await).user.unwrap()
        };
        sign_in(before).await;
        let user = sign_in(now).await;
        assert_eq!((user.email, user.email_verified), (email(after.0), after.1), "row {row}");
    }
}

#[tokio::test]
async fn a_verified_email_of_another_user_stays_with_that_user() {
    let app = app().await;
    let owner = app.sign_in("ada").await.user.unwrap();
    for (id, before) in [("none", None), ("unverified", Some("ada@example.com"))] {
        let known = allowed(app.try_sign_in(credential(person(id, before, false))).await).user.unwrap();
        let told = person(id, Some("ada@example.com"), true);
        let user = allowed(app.try_sign_in(credential(told)).await).user.unwrap();
        assert_eq!(user.id, known.id, "{id}");
        assert_ne!(user.id, owner.id, "{id}");
        assert_eq!((user.email.as_deref(), user.email_verified), (None, false), "{id}");
    }
}

#[tokio::test]
async fn the_provider_and_its_id_identify_an_account_byte_for_byte() {
    let app = app().await;
    let accounts = [
        ("github", "josé"),
        ("github", "jose"),
        ("github", "jose\u{301}"),
        ("github", "AbC"),
        ("github", "aBc"),
        ("github", "abc"),
        ("github", "abc "),
        ("google", "abc"),
    ];
    let sign_in = async |(provider, id): (&str, &str)| {
        let told = ProfileCredential { provider: provider.to_owned(), ..person(id, None, false) };
        allowed(app.try_sign_in(credential(told)).await)
    };
    let mut users = Vec::new();
    for account in accounts {
        let new = sign_in(account).await;
        assert!(new.is_new_user, "{account:?}");
        users.push(new.user.unwrap().id);
    }
    for (account, user) in accounts.into_iter().zip(&users) {
        assert_eq!(sign_in(account).await.user.unwrap().id, *user, "{account:?}");
    }
}

#[tokio::test]
async fn an_unverified_email_claims_nothing() {
    let app = app().await;
    let sign_in =
        async |id, verified| app.try_sign_in(credential(person(id, Some("ada@example.com"), verified))).await;
    let first = allowed(sign_in("one", false).await).user.unwrap();
    let second = allowed(sign_in("two", false).await).user.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!((first.email.as_deref(), first.email_verified), (Some("ada@example.com"), false));
    assert_eq!((second.email.as_deref(), second.email_verified), (Some("ada@example.com"), false));
    let owner = allowed(sign_in("three", true).await);
    assert!(owner.is_new_user && owner.user.unwrap().email_verified);
    assert_eq!(denied(sign_in("four", true).await).reason(), DenialReason::AccountNotLinked);
    assert!(allowed(sign_in("five", false).await).is_new_user);
}

#[tokio::test]
async fn an_unknown_account_with_a_taken_verified_email_is_not_linked() {
    let app = app().await;
    app.sign_in("ada").await;
    let google =
        ProfileCredential { provider: "google".to_owned(), ..person("ada", Some("ADA@Example.COM"), true) };
    let denied = denied(app.try_sign_in(credential(google)).await);
    assert_eq!(denied.reason(), DenialReason::AccountNotLinked);
    assert_eq!(denied.linked_providers, ["github"]);
    assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=OAuthAccountNotLinked");
    assert_eq!(app.counts().await, [1, 1, 1]);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "SIGN_IN_DENIED DENIED ACCOUNT_NOT_LINKED"]);
}

#[tokio::test]
async fn the_configured_policy_decides_who_may_come() {
    let domains = "allowed_email_domains: [example.com, example.org]";
    let verified = "require_verified_email: true";
    let both = "allowed_email_domains: [example.com], require_verified_email: true";
    let closed = "allow_sign_up: false";
    let [not_allowed, not_verified, sign_up_closed] =
        [DenialReason::EmailNotAllowed, DenialReason::EmailNotVerified, DenialReason::SignUpClosed];
    for (config, cases) in [
        (
            domains,
            &[
                (Some("ada@example.com"), true, None),
                (Some("ada@EXAMPLE.org"), true, None),
                (Some("eve@sub.example.com"), true, Some(not_allowed)),
                (Some("eve@notexample.com"), true, Some(not_allowed)),
                (Some("eve@example.com.evil.test"), true, Some(not_allowed)),
                (Some("eve@example.com"), false, Some(not_allowed)),
                (None, false, Some(not_allowed)),
            ][..],
        ),
        (
            verified,
            &[
                (Some("ada@example.com"), true, None),
                (Some("eve@example.com"), false, Some(not_verified)),
                (None, false, Some(not_verified)),
            ],
        ),
        (
            both,
            &[
                (Some("ada@example.com"), true, None),
                (Some("eve@example.net"), true, Some(not_allowed)),
                (Some("eve@example.com"), false, Some(not_verified)),
            ],
        ),
        (closed, &[(Some("eve@example.com"), true, Some(sign_up_closed))]),
    ] {
        let app = builder().config(&format!("sign_in: {{{config}}}")).start().await;
        let mut users = 0;
        for (row, (email, is_verified, refused)) in cases.iter().enumerate() {
            let told = person(&row.to_string(), *email, *is_verified);
            let answer = app.try_sign_in(credential(told)).await;
            let what = format!("{config}: {email:?} {is_verified}");
            if let Some(reason) = refused {
                let denied = denied(answer);
                assert_eq!(denied.reason(), *reason, "{what}");
                assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=AccessDenied");
                let wanted = reason.as_str_name().replace("DENIAL_REASON_", "SIGN_IN_DENIED DENIED ");
                assert_eq!(app.log().await.pop(), Some(wanted), "{what}");
            } else {
                users += 1;
                assert!(allowed(answer).is_new_user, "{what}");
            }
            assert_eq!(app.counts().await, [users; 3], "{what}");
        }
    }
}

#[tokio::test]
async fn a_known_user_may_sign_in_while_sign_up_is_closed() {
    let app = app().await;
    let known = app.sign_in("ada").await.user.unwrap();
    let app = app.restart(|yaml| format!("{yaml}sign_in: {{allow_sign_up: false}}\n")).await;
    assert_eq!(app.sign_in("ada").await.user.unwrap().id, known.id);
    assert_eq!(denied(app.try_sign_in(profile("eve")).await).reason(), DenialReason::SignUpClosed);
}

#[tokio::test]
async fn a_banned_user_is_sent_to_the_banned_url() {
    let app = builder().config("sign_in: {banned_url: /banned}").start().await;
    let user = app.sign_in("ada").await.user.unwrap();
    app.ban(&user.id).await;
    let denied = denied(app.try_sign_in(profile("ada")).await);
    assert_eq!(denied.reason(), DenialReason::UserBanned);
    assert_eq!(denied.redirect_to, "http://localhost:3000/banned?error=AccessDenied");
    assert!(denied.linked_providers.is_empty());
    assert_eq!(app.counts().await, [1, 1, 1]);
    assert_eq!(
        app.log().await,
        ["SIGN_UP SUCCESS", "USER_BANNED SUCCESS", "SIGN_IN_DENIED DENIED USER_BANNED"]
    );
}

#[tokio::test]
async fn a_ban_that_ran_out_lets_its_user_in_again() {
    let app = app().await;
    let user = app.sign_in("ada").await.user.unwrap();
    let ban = User {
        id: user.id.clone(),
        banned: true,
        ban_expires_at: Some(proto_time(START.plus(DAY))),
        ..Default::default()
    };
    app.update(ban, &["banned", "ban_expires_at"]).await.unwrap();
    app.clock.advance(Duration::from_millis(DAY_MILLIS - 1));
    assert_eq!(denied(app.try_sign_in(profile("ada")).await).reason(), DenialReason::UserBanned);
    app.clock.advance(Duration::from_millis(1));
    let again = app.sign_in("ada").await;
    assert_eq!(again.user.as_ref().map(|user| (user.banned, user.ban_expires_at)), Some((false, None)));
    assert_eq!(again.user.unwrap().id, user.id);
    app.issue(&again.grant.unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_error_joins_the_denied_url_as_one_more_parameter() {
    for (setting, wanted) in [
        ("/denied", "http://localhost:3000/denied?error=AccessDenied"),
        ("'/denied?from=gatepass'", "http://localhost:3000/denied?from=gatepass&error=AccessDenied"),
        ("'/denied?'", "http://localhost:3000/denied?error=AccessDenied"),
        ("'/denied#top'", "http://localhost:3000/denied?error=AccessDenied#top"),
        ("'http://localhost:3000/x'", "http://localhost:3000/x?error=AccessDenied"),
    ] {
        let config = format!("sign_in: {{allow_sign_up: false, denied_url: {setting}}}");
        let app = builder().config(&config).start().await;
        assert_eq!(denied(app.try_sign_in(profile("eve")).await).redirect_to, wanted, "{setting}");
    }
}

#[tokio::test]
async fn a_person_goes_only_where_the_redirect_rule_allows() {
    let bases = "base_urls: ['https://app.example.com', 'https://docs.example.com']";
    let app = builder().config(bases).start().await;
    for (asked, wanted) in [
        ("", "https://app.example.com"),
        ("/inbox?unread=1#top", "https://app.example.com/inbox?unread=1#top"),
        ("https://docs.example.com/a", "https://docs.example.com/a"),
        ("https://evil.example/", "https://app.example.com"),
        ("//evil.example/", "https://app.example.com"),
        ("/\\evil.example", "https://app.example.com"),
        ("javascript:alert(1)", "https://app.example.com"),
        ("inbox", "https://app.example.com"),
    ] {
        let request = SignInRequest { redirect_to: asked.to_owned(), ..profile("ada") };
        assert_eq!(allowed(app.try_sign_in(request).await).redirect_to, wanted, "{asked}");
    }
}

#[tokio::test]
async fn a_redirect_callback_has_the_last_word_and_passes_the_same_rule() {
    let hooks = on_redirect(|input| {
        assert_eq!(input.base_url, "http://localhost:3000");
        Ok(match input.url.strip_prefix(input.base_url) {
            Some("/old") => Some("/new".to_owned()),
            Some("/evil") => Some("https://evil.example/".to_owned()),
            _ => None,
        })
    });
    let app = builder().callbacks(hooks).start().await;
    for (asked, wanted) in [("/old", "/new"), ("/evil", ""), ("/same", "/same")] {
        let request = SignInRequest { redirect_to: asked.to_owned(), ..profile("ada") };
        let redirect_to = allowed(app.try_sign_in(request).await).redirect_to;
        assert_eq!(redirect_to, format!("http://localhost:3000{wanted}"), "{asked}");
    }
}

#[tokio::test]
async fn a_callback_sends_a_person_elsewhere_and_nothing_is_written() {
    let hooks = on_sign_in(|input| {
        let to = if input.account.provider_account_id.as_str() == "ada" {
            "/terms"
        } else {
            "https://evil.example"
        };
        Ok(SignInDecision::Redirect(to.to_owned()))
    });
    let app = builder().callbacks(hooks).start().await;
    for (who, wanted) in [("ada", "http://localhost:3000/terms"), ("eve", "http://localhost:3000")] {
        match app.try_sign_in(profile(who)).await.unwrap().into_inner().outcome {
            Some(sign_in_response::Outcome::Redirect(redirect)) => assert_eq!(redirect.url, wanted),
            other => panic!("no redirect: {other:?}"),
        }
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert!(app.log().await.iter().all(|line| line.starts_with("SIGN_IN_DENIED REDIRECTED")));
    assert_eq!(app.log().await.len(), 2);
}

#[tokio::test]
async fn a_callback_denies_and_nothing_is_written() {
    let hooks = on_sign_in(|_| Ok(SignInDecision::deny("no beta access")));
    let app = builder().callbacks(hooks).start().await;
    let denied = denied(app.try_sign_in(profile("ada")).await);
    assert_eq!(denied.reason(), DenialReason::CallbackDenied);
    assert_eq!(denied.detail.as_deref(), Some("no beta access"));
    assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=AccessDenied");
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(app.log().await, ["SIGN_IN_DENIED DENIED CALLBACK_DENIED"]);
}

#[tokio::test]
async fn a_failing_callback_lets_no_user_in_and_tells_no_cause() {
    let sign_in = on_sign_in(|_| Err(Callback::SignIn.failed("connection to 10.1.2.3 refused")));
    let redirect = on_redirect(|_| Err(Callback::Redirect.failed("connection to 10.1.2.3 refused")));
    for hooks in [sign_in, redirect] {
        let app = builder().callbacks(hooks).start().await;
        let status = app.try_sign_in(profile("ada")).await.unwrap_err();
        assert!(!status.message().contains("10.1.2.3"), "{status:?}");
        assert!(status.get_error_details().retry_info().is_some(), "{status:?}");
        assert_eq!(refusal::<()>(Err(status)), (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned()));
        assert_eq!(app.counts().await, [0, 0, 0]);
        assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"]);
    }
}

#[tokio::test]
async fn the_policy_comes_before_a_callback() {
    let hooks = on_sign_in(|_| Err(Callback::SignIn.failed("must not be asked")));
    let app = builder().config("sign_in: {allow_sign_up: false}").callbacks(hooks).start().await;
    assert_eq!(denied(app.try_sign_in(profile("eve")).await).reason(), DenialReason::SignUpClosed);
}

#[tokio::test]
async fn a_callback_sees_user_account_profile_and_client() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let witness = Arc::clone(&seen);
    let hooks = on_sign_in(move |input| {
        let (user, origin) = (input.user, input.origin);
        witness.lock().unwrap().push((
            (user.id.to_string(), user.name.clone(), user.role.clone(), user.email_verified),
            (input.account.provider.to_string(), input.account.provider_account_id.as_str().to_owned()),
            serde_json::to_value(input.profile).unwrap(),
            input.is_new_user,
            (origin.caller.clone(), origin.ip_address.clone(), origin.user_agent.clone()),
        ));
        Ok(SignInDecision::Allow)
    });
    let app = builder().callbacks(hooks).start().await;
    let request = SignInRequest {
        client: Some(Client {
            ip_address: Some("2001:DB8:0::1".to_owned()),
            user_agent: Some("a browser".to_owned()),
        }),
        ..credential(ProfileCredential {
            name: Some("Ada".to_owned()),
            raw: Some(Struct {
                fields: [
                    ("login".to_owned(), text("ada")),
                    ("email".to_owned(), text("eve@example.com")),
                    ("followers".to_owned(), Value { kind: Some(Kind::NumberValue(3.0)) }),
                ]
                .into(),
            }),
            ..person("ada", Some("ada@example.com"), true)
        })
    };
    let first = allowed(app.try_sign_in(request.clone()).await).user.unwrap();
    allowed(app.try_sign_in(request).await);
    let told = serde_json::json!({
        "sub": "ada", "email": "ada@example.com", "email_verified": true, "name": "Ada", "login": "ada",
        "followers": 3,
    });
    let wanted = |is_new| {
        (
            (first.id.clone(), Some("Ada".to_owned()), "user".to_owned(), true),
            ("github".to_owned(), "ada".to_owned()),
            told.clone(),
            is_new,
            ("local".to_owned(), Some("2001:db8::1".to_owned()), Some("a browser".to_owned())),
        )
    };
    assert_eq!(*seen.lock().unwrap(), [wanted(true), wanted(false)]);
}

#[tokio::test]
async fn the_log_tells_which_user_was_sent_elsewhere_or_met_a_failure() {
    let hooks = on_sign_in(|input| match input.user.name.as_deref() {
        Some("Elsewhere") => Ok(SignInDecision::Redirect("/terms".to_owned())),
        Some("Failure") => Err(Callback::SignIn.failed("on purpose")),
        _ => Ok(SignInDecision::Allow),
    });
    let app = builder().callbacks(hooks).start().await;
    let named = |who: &str, name: &str| {
        let mut told = person(who, Some("ada@example.com"), true);
        told.name = Some(name.to_owned());
        credential(told)
    };
    // There is no user yet that a row could name.
    let _ = app.try_sign_in(named("ada", "Elsewhere")).await;
    let _ = app.try_sign_in(named("ada", "Failure")).await;
    app.try_sign_in(named("ada", "Ada")).await.unwrap();
    let _ = app.try_sign_in(named("ada", "Elsewhere")).await;
    let _ = app.try_sign_in(named("ada", "Failure")).await;
    let rows = "SELECT outcome, CASE WHEN users.id IS NULL THEN 'nobody' ELSE 'ada' END AS who FROM auth_logs \
                LEFT JOIN users ON users.id = auth_logs.user_id ORDER BY auth_logs.rowid";
    let wanted = [
        ["REDIRECTED", "nobody"],
        ["FAILED", "nobody"],
        ["SUCCESS", "ada"],
        ["REDIRECTED", "ada"],
        ["FAILED", "ada"],
    ];
    assert_eq!(app.query(rows).await, wanted);
}

#[tokio::test]
async fn the_log_tells_who_tried_from_where() {
    let app = builder().config("sign_in: {allowed_email_domains: [example.com]}").start().await;
    for email in ["ada@example.com", "ada@example.com", "eve@example.net"] {
        let (id, _) = email.split_once('@').unwrap();
        let client = Client {
            ip_address: Some("::ffff:192.0.2.1".to_owned()),
            user_agent: Some("a\tbrowser".to_owned()),
        };
        let message = SignInRequest { client: Some(client), ..credential(person(id, Some(email), true)) };
        let mut request = Request::new(message);
        request.metadata_mut().insert("x-request-id", "the-request".parse().unwrap());
        app.try_sign_in(request).await.unwrap();
    }
    let sql = "SELECT action, outcome, reason, email, provider, caller, ip_address, user_agent, request_id, \
               CASE WHEN user_id IS NULL THEN 'nobody' ELSE 'a user' END AS who, \
               CASE WHEN session_id IS NULL THEN 'no session' ELSE 'a session' END AS session \
               FROM auth_logs ORDER BY rowid";
    let row = |action: &'static str, outcome, reason, email, who, session| {
        let origin = ["local", "192.0.2.1", "abrowser", "the-request"];
        [&[action, outcome, reason, email, "github"], &origin[..], &[who, session]].concat()
    };
    let wanted = [
        row("SIGN_UP", "SUCCESS", "", "ada@example.com", "a user", "a session"),
        row("SIGN_IN", "SUCCESS", "", "ada@example.com", "a user", "a session"),
        row("SIGN_IN_DENIED", "DENIED", "EMAIL_NOT_ALLOWED", "eve@example.net", "nobody", "no session"),
    ];
    assert_eq!(app.query(sql).await, wanted);
}

#[tokio::test]
async fn every_bad_field_is_named_and_nothing_is_written() {
    let app = app().await;
    let ada = || person("ada", Some("ada@example.com"), true);
    let mut cases: Vec<(String, SignInRequest)> = Vec::new();
    let mut bad = |field: &str, profile: ProfileCredential| {
        cases.push((format!("credential.profile.{field}"), credential(profile)));
    };
    for provider in ["", "GitHub", "-a", "a b", "é", &"a".repeat(65)] {
        bad("provider", ProfileCredential { provider: provider.to_owned(), ..ada() });
    }
    for id in ["", "a\0b", "a\nb", &"x".repeat(256)] {
        bad("provider_account_id", ProfileCredential { provider_account_id: id.to_owned(), ..ada() });
    }
    for number in [f64::NAN, f64::INFINITY] {
        let number = Value { kind: Some(Kind::NumberValue(number)) };
        bad("raw", ProfileCredential { raw: Some(raw("a", number)), ..ada() });
    }
    for address in ["1.2.3", "192.0.2.1:80", "[::1]", "localhost", " ::1"] {
        let client = Some(Client { ip_address: Some(address.to_owned()), user_agent: None });
        cases.push(("client.ip_address".to_owned(), SignInRequest { client, ..profile("ada") }));
    }
    for id in ["fifteen-letters", "sixteen letters!", &"x".repeat(256), "sixteen-lettersé"] {
        cases.push(("request_id".to_owned(), SignInRequest { request_id: id.to_owned(), ..profile("ada") }));
    }
    cases.push(("credential".to_owned(), SignInRequest::default()));
    for (field, request) in cases {
        let answer = app.try_sign_in(request.clone()).await;
        let status = answer.expect_err(&format!("{field}: {request:?}"));
        assert_eq!(fields::<()>(Err(status)), [field], "{request:?}");
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert!(app.log().await.is_empty());
}

#[tokio::test]
async fn all_bad_fields_are_told_at_once() {
    let app = app().await;
    let told = ProfileCredential { provider: String::new(), ..person("", Some("ada"), false) };
    let client = Some(Client { ip_address: Some("?".to_owned()), user_agent: None });
    let request = SignInRequest { client, request_id: "short".to_owned(), ..credential(told) };
    let mut named = fields(app.try_sign_in(request).await);
    named.sort();
    let wanted = [
        "client.ip_address",
        "credential.profile.provider",
        "credential.profile.provider_account_id",
        "request_id",
    ];
    assert_eq!(named, wanted);
}

#[tokio::test]
async fn an_empty_text_is_one_that_was_not_told() {
    let app = app().await;
    let empty = || Some(String::new());
    let told =
        ProfileCredential { name: empty(), image: empty(), email: empty(), ..person("ada", None, false) };
    let client = Some(Client { ip_address: empty(), user_agent: empty() });
    let request = SignInRequest { client, ..credential(told) };
    let user = allowed(app.try_sign_in(request).await).user.unwrap();
    assert_eq!((user.name, user.image, user.email), (None, None, None));
}

#[tokio::test]
async fn an_empty_credential_is_told_what_it_lacks() {
    let app = app().await;
    let with = |credential| SignInRequest { credential: Some(credential), ..Default::default() };
    let callback = with(sign_in_request::Credential::OauthCallback(OAuthCallbackCredential::default()));
    let wanted = ["code", "flow", "state"].map(|name| format!("credential.oauth_callback.{name}"));
    let mut named = fields(app.try_sign_in(callback).await);
    named.sort();
    assert_eq!(named, wanted);
    let token = with(sign_in_request::Credential::IdToken(IdTokenCredential::default()));
    // The provider decides whether a binding is needed.
    let wanted = ["provider", "token"].map(|name| format!("credential.id_token.{name}"));
    let mut named = fields(app.try_sign_in(token).await);
    named.sort();
    assert_eq!(named, wanted);
    assert_eq!(app.counts().await, [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_first_sign_ins_of_one_person_at_once_make_one_user() {
    let app = patient().start().await;
    let answers = at_once(50, |_| {
        let mut auth = app.auth.clone();
        async move { allowed(auth.sign_in(profile("ada")).await) }
    })
    .await;
    assert_eq!(app.counts().await, [1, 1, 50]);
    assert_eq!(answers.iter().filter(|answer| answer.is_new_user).count(), 1);
    let mut users: Vec<_> = answers.iter().map(|answer| answer.user.clone().unwrap().id).collect();
    users.dedup();
    assert_eq!(users.len(), 1);
    let mut grants: Vec<_> = answers.into_iter().map(|answer| answer.grant.unwrap()).collect();
    grants.sort();
    grants.dedup();
    assert_eq!(grants.len(), 50);
    let mut log = app.log().await;
    log.sort();
    assert_eq!(log[49], "SIGN_UP SUCCESS");
    assert!(log[..49].iter().all(|line| line == "SIGN_IN SUCCESS"), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_accounts_with_one_verified_email_at_once_one_gets_a_user() {
    let app = patient().start().await;
    for round in 0..10_u32 {
        let email = format!("ada{round}@example.com");
        let answers = at_once(2, |account| {
            let mut auth = app.auth.clone();
            let told = person(&format!("{round}-{account}"), Some(&email), true);
            async move { auth.sign_in(credential(told)).await.unwrap().into_inner().outcome }
        })
        .await;
        let refused: Vec<_> = answers
            .into_iter()
            .filter_map(|outcome| match outcome.unwrap() {
                sign_in_response::Outcome::Denied(denied) => Some(denied),
                sign_in_response::Outcome::Allowed(_) | sign_in_response::Outcome::Redirect(_) => None,
            })
            .collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].reason(), DenialReason::AccountNotLinked);
        assert_eq!(app.counts().await, [round + 1; 3]);
    }
}
