//! The time limit of a callback: its own, or less if the outer call has less time left.

use std::time::Duration;

use serde_json::json;
use tonic::Request;
use tonic::metadata::MetadataMap;

use super::{asking, unavailable};
use crate::support::callback_service::{CallbackServer, claims};
use crate::support::{profile, refusal};

/// Returns the time limit that a callback received.
fn given(metadata: &MetadataMap) -> Duration {
    let text = metadata.get("grpc-timeout").unwrap().to_str().unwrap();
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().unwrap();
    match unit {
        "n" => Duration::from_nanos(number),
        "u" => Duration::from_micros(number),
        "m" => Duration::from_millis(number),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn each_callback_is_given_its_own_time() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "timeout: {sign_in: 2s, session: 100ms}").await;
    let issued = app.tokens("ada").await;
    app.session(&issued.access_token).await.unwrap();
    let rules = &service.rules;
    assert_eq!(given(&rules.sign_in.last().metadata), Duration::from_secs(2));
    assert_eq!(given(&rules.jwt.last().metadata), Duration::from_millis(500));
    assert_eq!(given(&rules.session.last().metadata), Duration::from_millis(100));
    assert_eq!(given(&rules.redirect.last().metadata), Duration::from_millis(500));
}

#[tokio::test]
async fn no_callback_is_given_more_than_is_left_of_the_call() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 1m").await;
    // These calls have Gatepass' own limits: 10 s for `SignIn`, 5 s for the others.
    let issued = app.tokens("ada").await;
    let rules = &service.rules;
    assert!(given(&rules.sign_in.last().metadata) < Duration::from_secs(10));
    assert!(given(&rules.jwt.last().metadata) < Duration::from_secs(5));
    // This call has a shorter limit.
    let mut request = Request::new(profile("ada"));
    request.set_timeout(Duration::from_secs(2));
    app.auth.clone().sign_in(request).await.unwrap();
    let [one, other] = [&rules.sign_in.last().metadata, &rules.redirect.last().metadata].map(given);
    assert!(other <= one && one < Duration::from_secs(2), "{one:?} {other:?}");
    app.refresh(&issued.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_call_whose_callback_hangs_says_so_within_its_own_time() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 1m").await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    service.rules.sign_in.hangs();
    service.rules.jwt.hangs();
    // A later answer would arrive as DEADLINE_EXCEEDED.
    let mut request = Request::new(profile("eve"));
    request.set_timeout(Duration::from_secs(2));
    assert_eq!(refusal(app.auth.clone().sign_in(request).await), unavailable());
    let log = app.log().await;
    assert_eq!(log.last().unwrap(), "SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE");

    // This call has only Gatepass' own limit, 5 s.
    assert_eq!(refusal(app.issue(&grant).await), unavailable());
    service.rules.jwt.answers(|_| claims(&json!({})));
    app.issue(&grant).await.unwrap();
}
