//! The metrics of a service: answered and failed calls, independent of the effect on the outer call.

use serde_json::json;

use super::asking;
use crate::support::callback_service::{CallbackServer, deny, shows};
use crate::support::{TestApp, builder, eventually};

/// Returns the counts of callbacks of this kind.
async fn counted(app: &TestApp, kind: &str) -> Vec<String> {
    let page = app.metrics().await;
    let lines = page.counted("gatepass_callback_calls_total");
    lines.into_iter().filter(|line| line.starts_with(kind)).collect()
}

#[tokio::test]
async fn a_failure_that_is_passed_over_is_counted_as_one() {
    let mut service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [session, redirect], on_failure: allow").await;
    let issued = app.tokens("ada").await;
    service.stop().await;
    app.session(&issued.access_token).await.unwrap();
    app.resolve("/x").await.unwrap();
    // The sign-in also called `redirect`.
    let told = [
        "remote redirect failed 1",
        "remote redirect ok 1",
        "remote session failed 1",
        "remote session ok 1",
    ];
    assert_eq!(counted(&app, "remote").await, told);
}

#[tokio::test]
async fn a_shadow_is_counted_by_what_it_would_have_decided() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in], shadow: true").await;
    service.rules.sign_in.answers(|_| deny("no"));
    app.sign_in("ada").await;
    eventually("it answered", || async { counted(&app, "remote").await == ["remote sign_in deny 1"] }).await;
}

#[tokio::test]
async fn a_cached_answer_is_not_counted_as_a_call() {
    let service = CallbackServer::start().await;
    let section = service.section("callbacks: [session], session_cache_ttl: 5s");
    let cel = section.replace("{remote:", "{cel: {session: {greeting: \"'Hello'\"}}, remote:");
    assert_ne!(cel, section);
    let app = builder().config(&cel).start().await;
    service.rules.session.answers(|_| shows(&json!({"colour": "blue"})));
    let issued = app.tokens("ada").await;
    for _ in 0..3 {
        app.session(&issued.access_token).await.unwrap();
    }
    assert_eq!(counted(&app, "remote").await, ["remote session ok 1"]);
    assert_eq!(counted(&app, "cel").await, ["cel session ok 1"]);
}
