//! `SignIn` with the answer of a provider's page: the flow belongs to its browser, the code is redeemed once, and the
//! provider proves who the person is.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::auth::{Callback, SignInDecision};
use gatepass::grpc::proto::v1::{
    BeginSignInRequest, DenialReason, OAuthCallbackCredential, SignInRequest, sign_in_request,
};
use serde_json::json;
use tonic::Code;

use crate::support::callers::{caller, callers, key};
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::hooks::{claims, fails_until_mended, on_jwt, on_redirect, on_sign_in};
use crate::support::provider::{CLIENT_ID, CLIENT_SECRET, Endpoint, Person, TestProvider};
use crate::support::signing_in::{app_with, begin, come_back, corp, entry, of_callback, with_providers};
use crate::support::{START, allowed, denied, fields, refusal, with_key};

fn unauthenticated(reason: &str) -> (Code, String) {
    (Code::Unauthenticated, reason.to_owned())
}

/// Returns the callback in a request.
fn callback(request: &mut SignInRequest) -> &mut OAuthCallbackCredential {
    match &mut request.credential {
        Some(sign_in_request::Credential::OauthCallback(callback)) => callback,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_person_who_logged_in_becomes_a_user_with_an_account() {
    let (provider, app) = corp().await;
    let allowed = app.sign_in_at(&provider, Person::named("ada")).await;
    assert!(allowed.is_new_user && !allowed.linked);
    let (user, account) = (allowed.user.unwrap(), allowed.account.unwrap());
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("ada@example.com"), true));
    assert_eq!(user.name.as_deref(), Some("ada"));
    assert_eq!((account.provider.as_str(), account.provider_account_id.as_str()), ("corp", "ada"));
    assert_eq!((account.r#type.as_str(), account.scope.as_deref()), ("oidc", Some("openid profile email")));
    assert_eq!(allowed.redirect_to, "http://localhost:3000");
    let issued = app.issue(&allowed.grant.unwrap()).await.unwrap();
    assert_eq!(issued.session.unwrap().provider.as_deref(), Some("corp"));
    assert_eq!(app.counts().await, [1, 1, 1]);
    assert!(app.log().await[0].contains("SIGN_UP"));
}

/// Returns the query for the names of all tables.
fn tables_of(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Backend::Postgres => {
            "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'"
        }
        Backend::Mariadb => {
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database()"
        }
    }
}

#[tokio::test]
async fn the_providers_tokens_are_returned_once_and_never_stored() {
    let provider = TestProvider::start().await;
    // The row of the session contains its data until the first token, sealed. This callback receives all of it.
    let kept = Arc::new(Mutex::new(String::new()));
    let opened = Arc::clone(&kept);
    let hooks = on_jwt(move |input| {
        *opened.lock().unwrap() = format!("{input:?}");
        Ok(claims(json!({})))
    });
    let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    let signed_in = allowed(app.try_sign_in(request.clone()).await);
    let tokens = signed_in.provider_tokens.unwrap();
    assert_eq!(tokens.token_type.to_ascii_lowercase(), "bearer");
    let tokens = [tokens.access_token, tokens.refresh_token.unwrap(), tokens.id_token.unwrap()];
    assert!(tokens[0].starts_with("access-token") && tokens[1].starts_with("refresh-token"), "{tokens:?}");
    assert_eq!(tokens[2].split('.').count(), 3);
    let has_none = |what: &str, text: &str| {
        for token in &tokens {
            assert!(!text.contains(token) && !text.contains(&hex::encode_upper(token)), "{what}: {text}");
        }
    };
    let no_row_has_one = async || {
        let tables = app.query(tables_of(app.place.database.backend)).await.concat();
        assert!(tables.iter().any(|table| table == "sessions"), "{tables:?}");
        for table in tables {
            for row in app.query(&format!("SELECT * FROM {table}")).await {
                has_none(&table, &row.join(" "));
            }
        }
    };
    // The session is pending now.
    no_row_has_one().await;
    // A repeated request gets no tokens, and they are not redeemed again.
    assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("FLOW_USED"));
    assert_eq!(provider.requests(Endpoint::Token), 1);
    let issued = app.issue(&signed_in.grant.unwrap()).await.unwrap();
    let kept = kept.lock().unwrap().clone();
    assert!(kept.contains("account: Some(") && kept.contains(r#""sub": String("ada")"#), "{kept}");
    has_none("what was pending", &kept);
    has_none("IssueToken", &format!("{issued:?}"));
    no_row_has_one().await;
}

#[tokio::test]
async fn a_known_person_signs_in_again_as_the_same_user() {
    let (provider, app) = corp().await;
    let first = app.sign_in_at(&provider, Person::named("ada")).await;
    let again =
        app.sign_in_at(&provider, Person { name: Some("Ada L.".to_owned()), ..Person::named("ada") }).await;
    let (first, user) = (first.user.unwrap(), again.user.unwrap());
    assert_eq!((user.id, user.name.as_deref()), (first.id, Some("Ada L.")));
    assert!(!again.is_new_user);
    assert_eq!(app.counts().await, [1, 1, 2]);
}

#[tokio::test]
async fn a_flow_brings_the_person_where_they_wanted_to_go() {
    let (provider, app) = corp().await;
    for (begun_with, come_back_with, wanted) in [
        ("/cart?x=1", "", "http://localhost:3000/cart?x=1"),
        ("/cart", "/inbox", "http://localhost:3000/inbox"),
        ("https://evil.example", "", "http://localhost:3000"),
    ] {
        let request = BeginSignInRequest { redirect_to: begun_with.to_owned(), ..begin("corp") };
        let begun = app.begin(request).await.unwrap();
        let answer = provider.log_in(&begun.authorization_url, Person::named("ada"));
        let mut request = come_back(&begun.flow, answer);
        request.redirect_to = come_back_with.to_owned();
        assert_eq!(allowed(app.try_sign_in(request).await).redirect_to, wanted);
    }
}

#[tokio::test]
async fn a_flow_is_used_once() {
    let (provider, app) = corp().await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    allowed(app.try_sign_in(request.clone()).await);
    assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("FLOW_USED"));
    assert_eq!(provider.requests(Endpoint::Token), 1);
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_come_back_with_one_flow_one_is_let_in() {
    let (provider, app) = corp().await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    let answers = at_once(20, |_| {
        let (mut auth, request) = (app.auth.clone(), request.clone());
        async move { auth.sign_in(request).await }
    })
    .await;
    let (in_, out): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(in_.len(), 1);
    for answer in out {
        assert_eq!(refusal(answer), unauthenticated("FLOW_USED"));
    }
    assert_eq!(provider.requests(Endpoint::Token), 1);
}

#[tokio::test]
async fn many_flows_go_on_side_by_side() {
    let (provider, app) = corp().await;
    let (one, two) = (app.begin(begin("corp")).await.unwrap(), app.begin(begin("corp")).await.unwrap());
    let to_two = provider.log_in(&two.authorization_url, Person::named("eve"));
    let to_one = provider.log_in(&one.authorization_url, Person::named("ada"));
    allowed(app.try_sign_in(come_back(&one.flow, to_one)).await);
    allowed(app.try_sign_in(come_back(&two.flow, to_two)).await);
    assert_eq!(app.counts().await, [2, 2, 2]);
}

#[tokio::test]
async fn the_state_of_another_flow_is_refused_before_anything_is_asked() {
    let (provider, app) = corp().await;
    let (one, two) = (app.begin(begin("corp")).await.unwrap(), app.begin(begin("corp")).await.unwrap());
    let answer = provider.log_in(&two.authorization_url, Person::named("eve"));
    let crossed = come_back(&one.flow, answer);
    assert_eq!(refusal(app.try_sign_in(crossed).await), unauthenticated("STATE_MISMATCH"));
    assert_eq!(provider.requests(Endpoint::Token), 0);
    let log = app.log().await;
    assert_eq!(log, ["SIGN_IN_DENIED FAILED STATE_MISMATCH"]);
    assert_eq!(app.query("SELECT provider FROM auth_logs").await, [["corp"]]);
    // The flow can still be used.
    let answer = provider.log_in(&one.authorization_url, Person::named("ada"));
    allowed(app.try_sign_in(come_back(&one.flow, answer)).await);
}

#[tokio::test]
async fn an_invalid_flow_is_refused() {
    let (provider, app) = corp().await;
    let good = app.log_in(&provider, Person::named("ada")).await;
    let flow = callback(&mut good.clone()).flow.clone();
    let bent = |place: usize| {
        let mut bytes = flow.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut bad = vec!["junk".to_owned(), "é".to_owned(), format!("{flow}A"), "A".repeat(3501)];
    bad.extend([0, 15, 40, flow.len() / 2, flow.len() - 5].map(bent));
    bad.push(flow[..flow.len() - 4].to_owned());
    for flow in bad {
        let mut request = good.clone();
        callback(&mut request).flow.clone_from(&flow);
        assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("FLOW_INVALID"), "{flow}");
    }
    allowed(app.try_sign_in(good).await);
}

#[tokio::test]
async fn a_flow_of_one_provider_is_refused_at_the_route_of_another() {
    let (one, two) = (TestProvider::start().await, TestProvider::start().await);
    // Neither provider sends `iss`, so only the route tells them apart.
    one.sends_no_iss();
    two.sends_no_iss();
    let app = with_providers(&[entry("corp", &one, ""), entry("other", &two, "")]).start().await;
    let begun = app.begin(begin("other")).await.unwrap();
    let request = come_back(&begun.flow, two.log_in(&begun.authorization_url, Person::named("ada")));
    let arrived_at = |provider: &str| {
        let mut request = request.clone();
        callback(&mut request).provider = Some(provider.to_owned());
        request
    };
    assert_eq!(refusal(app.try_sign_in(arrived_at("corp")).await), unauthenticated("FLOW_INVALID"));
    // The same holds for an error, which would belong to no provider.
    let mut declined = arrived_at("corp");
    callback(&mut declined).error = Some("access_denied".to_owned());
    assert_eq!(refusal(app.try_sign_in(declined).await), unauthenticated("FLOW_INVALID"));
    assert_eq!((one.requests(Endpoint::Token), two.requests(Endpoint::Token)), (0, 0));
    assert_eq!(app.query("SELECT mark FROM used_marks").await.len(), 0);
    let log = app.query("SELECT outcome, reason, provider FROM auth_logs").await;
    assert_eq!(log, [["FAILED", "FLOW_INVALID", "other"], ["FAILED", "FLOW_INVALID", "other"]]);
    for junk in ["", "Other"] {
        let refused = app.try_sign_in(arrived_at(junk)).await;
        assert_eq!(fields(refused), ["credential.oauth_callback.provider"], "{junk}");
    }
    allowed(app.try_sign_in(arrived_at("other")).await);
}

#[tokio::test]
async fn a_flow_ends_after_a_quarter_of_an_hour() {
    let (provider, app) = corp().await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    app.clock.advance(Duration::from_mins(15));
    assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("FLOW_EXPIRED"));
    assert_eq!(provider.requests(Endpoint::Token), 0);
    assert_eq!(app.query("SELECT reason, provider FROM auth_logs").await, [["FLOW_EXPIRED", "corp"]]);
}

#[tokio::test]
async fn a_flow_belongs_to_the_group_that_began_it() {
    let provider = TestProvider::start().await;
    let entries = [
        caller("web", "group: web, allow: [sign_in]"),
        caller("worker", "group: web, allow: [sign_in]"),
        caller("other", "allow: [sign_in]"),
    ];
    let app = with_providers(&[entry("corp", &provider, "")]).config(&callers(&entries)).start().await;
    let begun = app.begin(with_key(begin("corp"), &key("web"))).await.unwrap();
    let request = come_back(&begun.flow, provider.log_in(&begun.authorization_url, Person::named("ada")));
    let of_other = app.try_sign_in(with_key(request.clone(), &key("other"))).await;
    assert_eq!(refusal(of_other), unauthenticated("FLOW_INVALID"));
    allowed(app.try_sign_in(with_key(request, &key("worker"))).await);
}

#[tokio::test]
async fn the_answer_of_another_issuer_is_refused_before_the_code_is_sent() {
    let (provider, app) = corp().await;
    for iss in [Some("https://evil.example".to_owned()), Some(format!("{}/", provider.issuer())), None] {
        let mut request = app.log_in(&provider, Person::named("ada")).await;
        callback(&mut request).iss = iss;
        assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("STATE_MISMATCH"));
    }
    assert_eq!(provider.requests(Endpoint::Token), 0);
    let log = app.log().await;
    assert!(log.iter().all(|row| row.contains("ISSUER_MISMATCH")), "{log:?}");
}

#[tokio::test]
async fn an_issuer_that_sends_no_iss_needs_none() {
    let provider = TestProvider::start().await;
    provider.sends_no_iss();
    let app = app_with(&provider).await;
    app.sign_in_at(&provider, Person::named("ada")).await;
}

#[tokio::test]
async fn a_declined_consent_is_a_denial_with_the_providers_word() {
    let (provider, app) = corp().await;
    let mut request = app.log_in(&provider, Person::named("ada")).await;
    let declined = callback(&mut request);
    declined.code.clear();
    declined.error = Some("access_denied".to_owned());
    declined.error_description = Some("<script>not today</script>".to_owned());
    let denied = denied(app.try_sign_in(request).await);
    assert_eq!(denied.reason(), DenialReason::ProviderError);
    assert_eq!(denied.detail.as_deref(), Some("access_denied"));
    assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=OAuthCallbackError");
    let log = app.log().await;
    assert!(log.len() == 1 && log[0].contains("DENIED") && log[0].contains("PROVIDER_ERROR"), "{log:?}");
    assert_eq!(app.counts().await, [0, 0, 0]);
}

#[tokio::test]
async fn an_error_without_the_flows_state_is_refused() {
    let (provider, app) = corp().await;
    let mut request = app.log_in(&provider, Person::named("ada")).await;
    let forged = callback(&mut request);
    forged.error = Some("access_denied".to_owned());
    forged.state.push('x');
    assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("STATE_MISMATCH"));
}

#[tokio::test]
async fn an_error_that_is_no_code_is_an_invalid_request() {
    let (provider, app) = corp().await;
    for error in ["a\nb", "\"quoted\"", "é", &"x".repeat(65)] {
        let mut request = app.log_in(&provider, Person::named("ada")).await;
        callback(&mut request).error = Some(error.to_owned());
        assert_eq!(fields(app.try_sign_in(request).await), ["credential.oauth_callback.error"], "{error}");
    }
}

#[tokio::test]
async fn every_missing_field_of_a_callback_is_told() {
    let app = app_with(&TestProvider::start().await).await;
    assert_eq!(fields(app.try_sign_in(of_callback(OAuthCallbackCredential::default())).await).len(), 3);
}

#[tokio::test]
async fn a_code_of_another_flow_proves_no_identity() {
    let (provider, app) = corp().await;
    let mut request = app.log_in(&provider, Person::named("ada")).await;
    callback(&mut request).code = "stolen".to_owned();
    assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("CREDENTIAL_INVALID"));
    assert!(app.log().await[0].contains("CODE_REJECTED"));
    assert_eq!(app.counts().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_provider_that_tells_no_scopes_granted_those_that_were_asked() {
    for (configured, asked, told, wanted, is_userinfo_needed) in [
        ("openid, email", &[][..], None, Some("openid email"), true),
        ("openid, email", &["profile"], None, Some("openid profile"), false),
        ("openid", &["openid", "email"], None, Some("openid email"), true),
        ("openid", &["email"], Some("openid"), Some("openid"), false),
        ("openid", &["email"], Some(""), None, false),
    ] {
        let what = format!("{configured} {asked:?} {told:?}");
        let provider = TestProvider::start().await;
        provider.keeps_profiles_to_userinfo();
        provider.edits_token_response(move |answer| {
            answer.remove("scope");
            answer.extend(told.map(|told| ("scope".to_owned(), told.into())));
        });
        let app =
            with_providers(&[entry("corp", &provider, &format!("scopes: [{configured}]"))]).start().await;
        let scopes = asked.iter().map(ToString::to_string).collect();
        let begun = app.begin(BeginSignInRequest { scopes, ..begin("corp") }).await.unwrap();
        let answer = provider.log_in(&begun.authorization_url, Person::named("ada"));
        let account = allowed(app.try_sign_in(come_back(&begun.flow, answer)).await).account.unwrap();
        assert_eq!(account.scope.as_deref(), wanted, "{what}");
        assert_eq!(provider.requests(Endpoint::Userinfo), usize::from(is_userinfo_needed), "{what}");
    }
}

#[tokio::test]
async fn a_person_who_proved_themselves_longer_ago_than_was_asked_is_refused() {
    let provider = TestProvider::start().await;
    let keys = "authorization_params: {max_age: '300'}";
    let app = with_providers(&[entry("corp", &provider, keys)]).start().await;
    let now = START.seconds();
    let of_request = |max_age: &str| [("max_age".to_owned(), max_age.to_owned())].into();
    // The clocks may differ by 10 seconds.
    for (asked, auth_time, is_in) in [
        (HashMap::new(), json!(now), true),
        (HashMap::new(), json!(now - 310), true),
        (HashMap::new(), json!(now - 311), false),
        (HashMap::new(), json!(now + 10), true),
        (HashMap::new(), json!(now + 11), false),
        (HashMap::new(), json!(now * 1000), false),
        (HashMap::new(), json!(null), false),
        (HashMap::new(), json!(now.to_string()), false),
        (HashMap::new(), json!(true), false),
        (HashMap::new(), json!([now]), false),
        (of_request("60"), json!(now - 70), true),
        (of_request("60"), json!(now - 71), false),
        (of_request("0"), json!(now - 10), true),
        (of_request("0"), json!(now - 11), false),
    ] {
        let what = format!("{asked:?} {auth_time}");
        let told = auth_time.clone();
        provider.edits_id_tokens(move |_, claims| drop(claims.insert("auth_time".to_owned(), told.clone())));
        let request = BeginSignInRequest { authorization_params: asked, ..begin("corp") };
        let begun = app.begin(request).await.unwrap();
        assert!(begun.authorization_url.contains("max_age="), "{what}");
        let request = come_back(&begun.flow, provider.log_in(&begun.authorization_url, Person::named("ada")));
        let answer = app.try_sign_in(request).await;
        if is_in {
            allowed(answer);
        } else {
            assert_eq!(refusal(answer), unauthenticated("CREDENTIAL_INVALID"), "{what}");
            assert!(app.log().await.pop().unwrap().contains("ID_TOKEN_AUTH_TIME"), "{what}");
        }
    }
    // The claim is missing.
    provider.edits_id_tokens(|_, _| {});
    let refused = app.try_sign_in_at(&provider, Person::named("ada")).await;
    assert_eq!(refusal(refused), unauthenticated("CREDENTIAL_INVALID"));
}

#[tokio::test]
async fn callbacks_see_what_the_provider_told() {
    let provider = TestProvider::start().await;
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let app = with_providers(&[entry("corp", &provider, "")])
        .callbacks(on_sign_in(move |input| {
            *told.lock().unwrap() = Some((input.profile.clone(), input.account.kind.name()));
            Ok(SignInDecision::Allow)
        }))
        .start()
        .await;
    app.sign_in_at(&provider, Person::named("ada").with("groups", json!(["staff"]))).await;
    let (profile, kind) = seen.lock().unwrap().take().unwrap();
    assert_eq!(profile["groups"], json!(["staff"]));
    assert_eq!((profile["sub"].as_str(), kind), (Some("ada"), "oidc"));
}

#[tokio::test]
async fn a_denial_by_a_callback_leaves_nothing_but_the_log() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "")])
        .callbacks(on_sign_in(|_| Ok(SignInDecision::deny("not today"))))
        .start()
        .await;
    let denied = denied(app.try_sign_in_at(&provider, Person::named("ada")).await);
    assert_eq!(denied.reason(), DenialReason::CallbackDenied);
    assert_eq!(app.counts().await, [0, 0, 0]);
    let log = app.query("SELECT action, provider, email FROM auth_logs").await;
    assert_eq!(log, [["SIGN_IN_DENIED", "corp", "ada@example.com"]]);
}

#[tokio::test]
async fn a_redirect_callback_that_fails_is_not_said_to_have_spent_nothing() {
    let provider = TestProvider::start().await;
    let hooks = on_redirect(|_| Err(Callback::Redirect.failed("down")));
    let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
    let status = app.try_sign_in_at(&provider, Person::named("ada")).await.unwrap_err();
    assert_eq!(
        status.message(),
        "the redirect callback failed; no redirect URL was chosen; begin the sign-in again"
    );
    assert_eq!(app.counts().await, [0, 0, 0]);
}

#[tokio::test]
async fn after_a_failing_callback_the_person_begins_again() {
    let provider = TestProvider::start().await;
    let (hooks, mended) = fails_until_mended();
    let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
    let request = app.log_in(&provider, Person::named("ada")).await;
    let status = app.try_sign_in(request.clone()).await.unwrap_err();
    assert_eq!(
        status.message(),
        "the sign_in callback failed; the sign-in was not completed; begin the sign-in again"
    );
    assert_eq!(refusal::<()>(Err(status)), (Code::Aborted, "CALLBACK_UNAVAILABLE".to_owned()));
    assert_eq!(app.counts().await, [0, 0, 0]);
    mended.store(true, Ordering::Relaxed);
    assert_eq!(refusal(app.try_sign_in(request).await), unauthenticated("FLOW_USED"));
    app.sign_in_at(&provider, Person::named("ada")).await;
}

#[tokio::test]
async fn an_unverified_email_claims_nothing() {
    let (provider, app) = corp().await;
    app.sign_in_at(&provider, Person::named("ada")).await;
    let eve = Person::named("eve").with_email("ada@example.com", false);
    let user = app.sign_in_at(&provider, eve).await.user.unwrap();
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("ada@example.com"), false));
    assert_eq!(app.counts().await, [2, 2, 2]);
}

#[tokio::test]
async fn a_person_needs_no_email() {
    let (provider, app) = corp().await;
    let user = app.sign_in_at(&provider, Person::named("ada").without_email()).await.user.unwrap();
    assert_eq!((user.email, user.email_verified), (None, false));
}

#[tokio::test]
async fn two_providers_with_the_same_id_of_a_person_are_two_people() {
    let (one, two) = (TestProvider::start().await, TestProvider::start().await);
    let app = with_providers(&[entry("corp", &one, ""), entry("other", &two, "")]).start().await;
    app.sign_in_at(&one, Person::named("ada")).await;
    let begun = app.begin(begin("other")).await.unwrap();
    let ada = Person::named("ada").without_email();
    let request = come_back(&begun.flow, two.log_in(&begun.authorization_url, ada));
    assert!(allowed(app.try_sign_in(request).await).is_new_user);
}

#[tokio::test]
async fn a_used_flow_is_remembered_until_it_would_have_ended() {
    let (provider, app) = corp().await;
    app.sign_in_at(&provider, Person::named("ada")).await;
    let rows = app.query("SELECT expires_at FROM used_marks").await;
    let kept: Vec<i64> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(kept.contains(&START.plus(Duration::from_mins(15)).millis()), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_first_sign_ins_of_one_person_make_one_user_and_one_account() {
    let (provider, app) = corp().await;
    let mut requests = Vec::new();
    for _ in 0..20 {
        requests.push(app.log_in(&provider, Person::named("ada")).await);
    }
    let answers = at_once(20, |number| {
        let (mut auth, request) = (app.auth.clone(), requests[number].clone());
        async move { allowed(auth.sign_in(request).await) }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_new_user).count(), 1);
    assert_eq!(app.counts().await, [1, 1, 20]);
}

#[tokio::test]
async fn githubs_unverified_primary_email_claims_nothing() {
    let provider = TestProvider::start().await;
    let home = provider.issuer();
    let app = with_providers(&[format!(
        "{{id: github, enterprise_url: '{home}', client_id: '{CLIENT_ID}', client_secret: '{CLIENT_SECRET}'}}"
    )])
    .start()
    .await;
    let sign_in = async |person: Person| {
        let begun = app.begin(begin("github")).await.unwrap();
        let request = come_back(&begun.flow, provider.log_in(&begun.authorization_url, person));
        allowed(app.try_sign_in(request).await)
    };
    let ada = sign_in(Person::named("ada")).await;
    let account = ada.account.unwrap();
    assert_eq!((account.provider.as_str(), account.r#type.as_str()), ("github", "oauth"));
    assert_eq!(account.provider_account_id, Person::named("ada").number.to_string());
    assert_eq!(ada.user.unwrap().email.as_deref(), Some("ada@example.com"));
    let eve = sign_in(Person::named("eve").with_email("ada@example.com", false)).await.user.unwrap();
    assert_eq!((eve.email, eve.email_verified), (None, false));
    assert_eq!(app.counts().await, [2, 2, 2]);
}
