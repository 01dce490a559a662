//! `/metrics`: exact counts of calls and callbacks, and the data that no line reveals.

use std::sync::Arc;

use futures_util::stream;
use gatepass::auth::{Callback, CallbackResult, CallbackSet, Callbacks, SignInDecision, SignInInput};
use serde_json::json;
use tokio::sync::Semaphore;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_request::MessageRequest};

use crate::support::callers::{call, methods};
use crate::support::hooks::{claims, on_jwt, on_redirect, on_session, on_sign_in};
use crate::support::metrics::get;
use crate::support::{START, app, builder, eventually, profile, reason};

const STARTED: &str = "grpc_server_started_total";
const HANDLED: &str = "grpc_server_handled_total";
const CALLBACKS: &str = "gatepass_callback_calls_total";

#[tokio::test]
async fn calls_are_counted_by_method_and_code() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    app.session(&token).await.unwrap();
    app.session(&token).await.unwrap();
    app.session("no token").await.unwrap_err();
    app.resolve_against("https://evil.example", "/").await.unwrap_err();
    let page = app.metrics().await;
    let started = [
        "unary gatepass.v1.AuthService GetSession 3",
        "unary gatepass.v1.AuthService IssueToken 1",
        "unary gatepass.v1.AuthService ResolveRedirect 1",
        "unary gatepass.v1.AuthService SignIn 1",
    ];
    assert_eq!(page.counted(STARTED), started);
    assert_eq!(page.counted("grpc_server_handling_seconds_count"), started);
    assert_eq!(page.counted("grpc_server_handling_seconds_sum").len(), 4, "none took no time");
    let handled = [
        "unary gatepass.v1.AuthService GetSession OK 2",
        "unary gatepass.v1.AuthService GetSession Unauthenticated 1",
        "unary gatepass.v1.AuthService IssueToken OK 1",
        "unary gatepass.v1.AuthService ResolveRedirect InvalidArgument 1",
        "unary gatepass.v1.AuthService SignIn OK 1",
    ];
    assert_eq!(page.counted(HANDLED), handled);
}

#[tokio::test]
async fn every_code_of_a_method_is_there_from_its_first_call_on() {
    let app = app().await;
    assert!(!app.metrics().await.text.contains(HANDLED));
    app.sign_in("ada").await;
    let page = app.metrics().await;
    let codes = page.samples.iter().filter(|sample| sample.name == HANDLED);
    assert_eq!(codes.count(), 17);
}

#[tokio::test]
async fn an_unknown_method_is_counted_as_unknown() {
    let app = app().await;
    for path in ["/gatepass.v1.AuthService/Nonsense", "/ada@example.com/SignIn", "/metrics", "/"] {
        assert_eq!(reason(call(&app.channel, path, "").await), "NOT_IMPLEMENTED", "{path}");
    }
    let page = app.metrics().await;
    assert_eq!(page.counted(STARTED), ["unary unknown unknown 4"]);
    assert_eq!(page.counted(HANDLED), ["unary unknown unknown Unimplemented 4"]);
}

#[tokio::test]
async fn every_method_that_is_served_has_a_name_of_its_own() {
    let app = app().await;
    for (path, _) in &methods() {
        let _ = call(&app.channel, path, "").await;
    }
    let started = app.metrics().await.counted(STARTED);
    let wanted = |(path, _): &(String, _)| {
        let (service, method) = path[1..].split_once('/').unwrap();
        let kind = if method.starts_with("Watch") { "server_stream" } else { "unary" };
        format!("{kind} {service} {method} 1")
    };
    let mut wanted: Vec<_> = methods().iter().map(wanted).collect();
    wanted.sort();
    assert_eq!(started, wanted);
}

#[tokio::test]
async fn a_stream_is_handled_when_it_ends_and_cancelled_when_its_client_goes() {
    let app = app().await;
    let mut watch = HealthClient::new(app.channel.clone());
    let mut watch = watch.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let page = app.metrics().await;
    assert_eq!(page.counted(STARTED), ["server_stream grpc.health.v1.Health Watch 1"]);
    assert_eq!(page.counted(HANDLED), [""; 0]);
    drop(watch);
    let cancelled = ["server_stream grpc.health.v1.Health Watch Canceled 1"];
    eventually("the stream is cancelled", || async { app.metrics().await.counted(HANDLED) == cancelled })
        .await;

    let list = MessageRequest::ListServices(String::new());
    let list = ServerReflectionRequest { message_request: Some(list), ..Default::default() };
    let mut reflection = ServerReflectionClient::new(app.channel.clone());
    let answers = reflection.server_reflection_info(stream::iter([list])).await.unwrap();
    let mut answers = answers.into_inner();
    while answers.message().await.unwrap().is_some() {}
    let ended = "bidi_stream grpc.reflection.v1.ServerReflection ServerReflectionInfo OK 1";
    assert_eq!(app.metrics().await.counted(HANDLED), [ended, cancelled[0]]);
}

/// A `sign_in` callback that never answers, and signals when it is called.
struct Silent(Arc<Semaphore>);

impl Callbacks for Silent {
    fn implemented(&self) -> CallbackSet {
        [Callback::SignIn].into()
    }

    async fn sign_in(&self, _: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.0.add_permits(1);
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_cancelled_call_is_counted_as_such_and_its_callback_as_timed_out() {
    let asked = Arc::new(Semaphore::new(0));
    let silent = Silent(Arc::clone(&asked));
    let app = builder().server("request_timeout: 1s").callbacks(silent).start().await;
    let mut auth = app.auth.clone();
    let calling = tokio::spawn(async move { auth.sign_in(profile("ada")).await });
    asked.acquire().await.unwrap().forget();
    calling.abort();
    let wanted = ["unary gatepass.v1.AuthService SignIn Canceled 1"];
    eventually("the call is cancelled", || async { app.metrics().await.counted(HANDLED) == wanted }).await;
    let callbacks = ["library sign_in cancelled 1", "policy sign_in allow 1"];
    eventually("the callback too", || async { app.metrics().await.counted(CALLBACKS) == callbacks }).await;
    let row = ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"];
    eventually("the sign-in is told of", || async { app.log().await == row }).await;
}

#[tokio::test]
async fn a_callback_without_an_answer_in_time_is_cancelled_and_its_call_late() {
    let silent = Silent(Arc::new(Semaphore::new(0)));
    let app = builder().server("request_timeout: 50ms").callbacks(silent).start().await;
    assert_eq!(reason(app.try_sign_in(profile("ada")).await), "DEADLINE_EXCEEDED");
    let page = app.metrics().await;
    assert_eq!(page.counted(HANDLED), ["unary gatepass.v1.AuthService SignIn DeadlineExceeded 1"]);
    let callbacks = ["library sign_in cancelled 1", "policy sign_in allow 1"];
    eventually("it is cancelled", || async { app.metrics().await.counted(CALLBACKS) == callbacks }).await;
}

#[tokio::test]
async fn sign_in_callbacks_are_counted_by_what_they_decide() {
    let hook = on_sign_in(|input| match input.profile["name"].as_str() {
        Some("eve") => Ok(SignInDecision::deny("not you")),
        Some("bob") => Ok(SignInDecision::Redirect("/waiting".to_owned())),
        Some("mallory") => Err(Callback::SignIn.failed("no answer")),
        Some("trent") => panic!("this panic belongs to the test"),
        _ => Ok(SignInDecision::Allow),
    });
    let app = builder().config("sign_in: {require_verified_email: true}").callbacks(hook).start().await;
    let zeros = app.metrics().await;
    assert_eq!(zeros.counted(CALLBACKS), [""; 0]);
    assert!(zeros.text.contains("{kind=\"library\",callback=\"sign_in\",outcome=\"failed\"} 0\n"));
    for who in ["ada", "grace", "eve", "bob", "mallory", "trent"] {
        let _ = app.try_sign_in(profile(who)).await;
    }
    let mut unverified = profile("nobody");
    let Some(gatepass::grpc::proto::v1::sign_in_request::Credential::Profile(person)) =
        &mut unverified.credential
    else {
        panic!("a profile");
    };
    person.email_verified = false;
    app.try_sign_in(unverified).await.unwrap();
    let page = app.metrics().await;
    let wanted = [
        "library sign_in allow 2",
        "library sign_in deny 1",
        "library sign_in failed 2",
        "library sign_in redirect 1",
        "policy sign_in allow 6",
        "policy sign_in deny 1",
    ];
    assert_eq!(page.counted(CALLBACKS), wanted);
    let timed = ["library sign_in 6", "policy sign_in 7"];
    assert_eq!(page.counted("gatepass_callback_seconds_count"), timed);
}

#[tokio::test]
async fn the_other_callbacks_are_counted_each_by_itself() {
    let hooks = on_jwt(|input| {
        Ok(match input.user.name.as_deref() {
            Some("eve") => gatepass::auth::JwtDecision::Deny(None),
            _ => claims(json!({"team": "blue"})),
        })
    });
    let app = builder().callbacks(hooks).start().await;
    app.tokens("ada").await;
    let grant = app.sign_in("eve").await.grant.unwrap();
    app.issue(&grant).await.unwrap_err();
    let policy = "policy sign_in allow 2";
    assert_eq!(app.metrics().await.counted(CALLBACKS), ["library jwt deny 1", "library jwt ok 1", policy]);

    let hooks = on_session(|_| Ok(gatepass::model::ClaimMap::new()));
    let app = builder().callbacks(hooks).start().await;
    let token = app.tokens("ada").await.access_token;
    app.session(&token).await.unwrap();
    assert_eq!(app.metrics().await.counted(CALLBACKS), ["library session ok 2", "policy sign_in allow 1"]);

    let hooks = on_redirect(|_| Err(Callback::Redirect.failed("no answer")));
    let app = builder().callbacks(hooks).start().await;
    assert_eq!(reason(app.resolve_against("", "/").await), "CALLBACK_UNAVAILABLE");
    assert_eq!(app.metrics().await.counted(CALLBACKS), ["library redirect failed 1"]);
}

#[tokio::test]
async fn it_tells_what_it_is_and_how_fresh_its_revocations_are() {
    let page = app().await.metrics().await;
    assert_eq!(page.counted("gatepass_build_info"), [format!("{} 1", env!("CARGO_PKG_VERSION"))]);
    #[expect(clippy::cast_precision_loss, reason = "the first of January 2026")]
    let start = START.seconds() as f64;
    assert_eq!(page.value("process_start_time_seconds").to_string(), start.to_string());
    assert!(page.value("gatepass_revocations_age_seconds") >= 0.0);
}

#[tokio::test]
async fn no_label_tells_of_a_person_a_token_or_a_caller() {
    let app = builder().callbacks(on_session(|_| Ok(gatepass::model::ClaimMap::new()))).start().await;
    let tokens = app.tokens("ada").await;
    app.session(&tokens.access_token).await.unwrap();
    let _ =
        call(&app.channel, &format!("/{}/{}", tokens.refresh_token, tokens.access_token), "gpk_key").await;
    let page = app.metrics().await;
    let mut labels: Vec<_> = page.samples.iter().flat_map(|sample| &sample.labels).collect();
    labels.retain(|(name, _)| name != "le" && name != "grpc_code" && name != "outcome");
    labels.sort();
    labels.dedup();
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let version = format!("version={}", env!("CARGO_PKG_VERSION"));
    let wanted = [
        "callback=session",
        "callback=sign_in",
        "grpc_method=GetSession",
        "grpc_method=IssueToken",
        "grpc_method=SignIn",
        "grpc_method=unknown",
        "grpc_service=gatepass.v1.AuthService",
        "grpc_service=unknown",
        "grpc_type=unary",
        "kind=library",
        "kind=policy",
        "provider=other",
        "reason=",
        &version,
    ];
    assert_eq!(labels, wanted);
}

#[tokio::test]
async fn probes_are_no_calls() {
    let app = app().await;
    let admin = Endpoint::from_shared(format!("http://{}", app.admin_addr)).unwrap();
    HealthClient::new(admin.connect_lazy()).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(app.metrics().await.counted(STARTED), [""; 0]);
}

#[tokio::test]
async fn only_the_admin_port_tells() {
    let app = app().await;
    assert!(get(app.http_addr, "/metrics").await.0.starts_with("HTTP/1.1 404"));
    assert_eq!(call(&app.channel, "/metrics", "").await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn metrics_that_are_switched_off_are_not_found() {
    let app = builder().config("telemetry: {metrics: false}").start().await;
    assert!(get(app.admin_addr, "/metrics").await.0.starts_with("HTTP/1.1 404"));
    assert!(get(app.admin_addr, "/livez").await.0.starts_with("HTTP/1.1 200"));
}
