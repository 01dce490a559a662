//! Valid and invalid answers of the service. An invalid answer is a failure and spends nothing.

use std::convert::Infallible;

use bytes::Bytes;
use gatepass::grpc::proto::callback::v1::{JwtResponse, RedirectResponse, SessionResponse, SignInResponse};
use gatepass::grpc::proto::v1::{DenialReason, sign_in_response};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use super::{asking, outcome, told, unavailable};
use crate::support::callback_service::{
    CallbackServer, Reply, allow, claims, deny, no_token, redirect, section_at, serve_any, shows, to_json,
    to_struct,
};
use crate::support::log::Log;
use crate::support::{TestApp, builder, denied, profile, reason, refusal};

#[tokio::test]
async fn a_denial_is_an_answer_with_the_services_reason() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    for (given, detail) in [
        ("not on the list", Some("not on the list")),
        ("", None),
        ("two\r\nlines\u{1b}[31m", Some("twolines[31m")),
    ] {
        service.rules.sign_in.answers(move |_| deny(given));
        let denied = denied(app.try_sign_in(profile("ada")).await);
        assert_eq!(denied.reason(), DenialReason::CallbackDenied);
        assert_eq!(denied.detail.as_deref(), detail, "{given:?}");
        assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=AccessDenied");
    }
    service.rules.sign_in.answers(|_| deny(&"x".repeat(10_000)));
    assert_eq!(denied(app.try_sign_in(profile("ada")).await).detail.unwrap().len(), 256);
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(app.log().await, ["SIGN_IN_DENIED DENIED CALLBACK_DENIED"; 4]);
}

#[tokio::test]
async fn a_redirect_passes_the_rule_for_redirects() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in]").await;
    for (url, resolved) in [
        ("/waiting-list", "http://localhost:3000/waiting-list"),
        ("https://evil.example/", "http://localhost:3000"),
    ] {
        service.rules.sign_in.answers(move |_| redirect(url));
        let sign_in_response::Outcome::Redirect(to) = outcome(app.try_sign_in(profile("ada")).await) else {
            panic!("no redirect")
        };
        assert_eq!(to.url, resolved);
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(app.log().await, ["SIGN_IN_DENIED REDIRECTED REDIRECTED"; 2]);
}

#[tokio::test]
async fn a_first_token_that_is_denied_ends_its_session() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    service.rules.jwt.answers(|_| no_token("no seat left"));
    let status = app.issue(&grant).await.unwrap_err();
    assert_eq!(status.message(), "no seat left");
    assert_eq!(refusal::<()>(Err(status)), (Code::PermissionDenied, "CALLBACK_DENIED".to_owned()));
    service.rules.jwt.answers(|_| claims(&json!({})));
    assert_eq!(reason(app.issue(&grant).await), "GRANT_USED");
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_DENIED DENIED CALLBACK_DENIED"]);
}

#[tokio::test]
async fn a_refresh_that_is_denied_leaves_the_session_as_it_was() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let issued = app.tokens("ada").await;
    service.rules.jwt.answers(|_| no_token(""));
    let answer = app.refresh(&issued.refresh_token).await;
    assert_eq!(refusal(answer), (Code::PermissionDenied, "CALLBACK_DENIED".to_owned()));
    service.rules.jwt.answers(|_| claims(&json!({})));
    app.refresh(&issued.refresh_token).await.unwrap();
    let log = app.log().await;
    assert_eq!(log, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS", "TOKEN_DENIED DENIED CALLBACK_DENIED"]);
}

/// Sets one answer for each method. Checks that every call fails and spends nothing, and that all calls succeed once
/// the service recovers.
async fn each_fails(
    app: &TestApp,
    service: &CallbackServer,
    what: &str,
    answer: (SignInResponse, JwtResponse, SessionResponse, RedirectResponse),
) {
    let rules = &service.rules;
    rules.are_well();
    let grant = app.sign_in("ada").await.grant.unwrap();
    let tokens = app.tokens("ada").await;
    let (counts, log) = (app.counts().await, app.log().await);

    let (sign_in, jwt, session, redirect) = answer;
    rules.sign_in.answers(move |_| sign_in.clone());
    rules.jwt.answers(move |_| jwt.clone());
    rules.session.answers(move |_| session.clone());
    rules.redirect.answers(move |_| redirect.clone());
    for (told, method) in told(app.each(&grant, &tokens).await)
        .into_iter()
        .zip(["sign_in", "issue", "refresh", "session", "redirect"])
    {
        assert_eq!(told, Some(unavailable()), "{what}: {method}");
    }
    assert_eq!(app.counts().await, counts, "{what}");
    let log = [log, vec!["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE".to_owned()]].concat();
    assert_eq!(app.log().await, log, "{what}");

    rules.are_well();
    assert_eq!(told(app.each(&grant, &tokens).await), [const { None }; 5], "{what}");
}

/// Builds answers with the same claims for the methods with claims, and without an outcome for the others.
fn all(claims_of: &Value) -> (SignInResponse, JwtResponse, SessionResponse, RedirectResponse) {
    let none = (SignInResponse { outcome: None }, RedirectResponse { url: String::new() });
    (none.0, claims(claims_of), shows(claims_of), none.1)
}

#[tokio::test]
async fn an_answer_that_can_not_be_taken_is_a_failure() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    let deeper = (0..60).fold(json!(1), |inner, _| json!({"a": inner}));
    for (what, answered) in [
        ("claims that prove something", json!({"sub": "somebody", "acr": "2"})),
        ("a scope that is no string", json!({"scope": ["all"]})),
        ("roles that are no list", json!({"roles": "admin"})),
        ("claims of Gatepass' own", json!({"role": "admin"})),
        ("a null for a claim that only Gatepass sets", json!({"exp": null})),
        ("a name of none", json!({"": 1})),
        ("an odd name", json!({"a\nb": 1})),
        ("a number that is not whole any more", json!({"n": 1e300})),
        ("nesting", json!({"n": deep})),
        ("nesting that protobuf refuses", json!({"n": deeper})),
        ("more than an answer may have", json!({"n": "x".repeat(80 * 1024)})),
        ("16 MiB", json!({"n": "x".repeat(16 * 1024 * 1024)})),
    ] {
        each_fails(&app, &service, what, all(&answered)).await;
    }
    let mut infinite = to_struct(&json!({"n": 1}));
    infinite.fields.get_mut("n").unwrap().kind = Some(prost_types::value::Kind::NumberValue(f64::INFINITY));
    let (sign_in, _, _, nowhere) = all(&json!({}));
    let tokens = JwtResponse {
        outcome: Some(gatepass::grpc::proto::callback::v1::jwt_response::Outcome::Claims(infinite.clone())),
    };
    let sessions = SessionResponse { claims: Some(infinite) };
    each_fails(&app, &service, "a number that is not finite", (sign_in, tokens, sessions, nowhere)).await;
}

#[tokio::test]
async fn sixteen_mebibytes_are_no_answer_of_any_callback() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let vast = "x".repeat(16 * 1024 * 1024);
    let nowhere = RedirectResponse { url: format!("/{vast}") };
    for sign_in in [deny(&vast), redirect(&format!("/{vast}"))] {
        let answer = (sign_in, no_token(&vast), shows(&json!({"n": vast})), nowhere.clone());
        each_fails(&app, &service, "16 MiB", answer).await;
    }
}

#[tokio::test]
async fn an_outcome_that_is_not_there_is_a_failure() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    service.rules.sign_in.answers(|_| SignInResponse { outcome: None });
    service.rules.jwt.answers(|_| JwtResponse { outcome: None });
    service.rules.redirect.answers(|_| RedirectResponse { url: String::new() });
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    assert_eq!(refusal(app.issue(&grant).await), unavailable());
    assert_eq!(refusal(app.resolve("/x").await), unavailable());
    // A session callback that adds nothing may leave its claims out.
    service.rules.jwt.answers(|_| claims(&json!({})));
    service.rules.session.answers(|_| SessionResponse { claims: None });
    let issued = app.issue(&grant).await.unwrap();
    assert_eq!(to_json(&issued.session.unwrap().claims.unwrap()), json!({}));
}

#[tokio::test]
async fn claims_that_a_session_can_not_keep_are_told_as_that() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [jwt]").await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    service.rules.jwt.answers(|_| claims(&json!({"n": "x".repeat(9 * 1024)})));
    let told = refusal(app.issue(&grant).await);
    assert_eq!(told, (Code::FailedPrecondition, "CLAIMS_TOO_LARGE".to_owned()));
    service.rules.jwt.answers(|_| claims(&json!({})));
    app.issue(&grant).await.unwrap();
}

#[tokio::test]
async fn every_error_code_is_a_failure_and_its_message_is_not_passed_on() {
    let (log, _logging) = Log::begin();
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in]").await;
    for code in (1..17).map(Code::from_i32) {
        service.rules.sign_in.does(move |_| Reply::Fail(code));
        let status = app.try_sign_in(profile("ada")).await.unwrap_err();
        assert_eq!(
            status.message(),
            "the sign_in callback failed; the sign-in was not completed",
            "{code:?}"
        );
        assert_eq!(refusal::<()>(Err(status)), unavailable(), "{code:?}");
        // Some of them open the circuit breaker.
        app.clock.advance(std::time::Duration::from_secs(10));
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(log.lines("callback failed").len(), 16);
    assert!(log.lines("ada@example.com").is_empty() && log.lines("says the service").is_empty());
}

/// Starts a service that returns these bytes as the body of every call.
async fn raw(headers: HeaderMap, body: Vec<u8>) -> (std::net::SocketAddr, impl Drop) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let answer = service_fn(move |_: http::Request<Body>| {
        let (headers, body) = (headers.clone(), Bytes::from(body.clone()));
        async move {
            let trailers =
                HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
            let body = Full::new(body).with_trailers(async { Some(Ok(trailers)) });
            let mut response = http::Response::new(Body::new(body));
            *response.headers_mut() = headers;
            Ok::<_, Infallible>(response)
        }
    });
    (addr, serve_any(listener, answer, std::sync::Arc::default(), None))
}

#[tokio::test]
async fn what_is_no_answer_of_grpc_is_a_failure() {
    let frame =
        |message: &[u8]| [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat();
    let grpc: HeaderMap = [("content-type".parse().unwrap(), HeaderValue::from_static("application/grpc"))]
        .into_iter()
        .collect();
    let html: HeaderMap =
        [("content-type".parse().unwrap(), HeaderValue::from_static("text/html"))].into_iter().collect();
    let mut long = grpc.clone();
    long.insert("x-long", HeaderValue::from_str(&"x".repeat(32 * 1024)).unwrap());
    for (what, headers, body) in [
        ("a field of another type", &grpc, frame(&[0x08, 1])),
        ("no protobuf", &grpc, frame(b"no protobuf")),
        ("no frame", &grpc, b"no frame at all".to_vec()),
        ("half a frame", &grpc, frame(&allow().encode_to_vec())[..6].to_vec()),
        ("a frame of 4 GiB, it says", &grpc, vec![0, 0xff, 0xff, 0xff, 0xff, 0]),
        ("a compressed frame", &grpc, vec![1, 0, 0, 0, 0]),
        ("nothing", &grpc, Vec::new()),
        ("a page", &html, b"<html>it works</html>".to_vec()),
        ("long headers", &long, frame(&allow().encode_to_vec())),
    ] {
        let (addr, _serving) = raw(headers.clone(), body).await;
        let app = builder().config(&section_at(addr, "callbacks: [sign_in]")).start().await;
        let answer = app.try_sign_in(profile("ada")).await;
        assert_eq!(refusal::<()>(answer.map(drop)), unavailable(), "{what}");
        assert_eq!(app.counts().await, [0, 0, 0], "{what}");
    }
    let (addr, _serving) = raw(grpc, frame(&allow().encode_to_vec())).await;
    let app = builder().config(&section_at(addr, "callbacks: [sign_in]")).start().await;
    let answer: Result<_, Status> = app.try_sign_in(profile("ada")).await;
    answer.expect("it is the answer that made the others fail");
}
