//! Additions of callbacks are checked after the whole chain, in each way in which callbacks are given.

use serde_json::{Value, json};

use super::{claims_of, declared};
use crate::support::callback_service::{CallbackServer, claims as answered, shows};
use crate::support::hooks::{Hooks, claims, object, on_jwt, on_session};
use crate::support::{TestApp, builder, refusal};

/// Additions of `jwt`, and whether they are as declared.
fn cases() -> Vec<(Value, bool)> {
    vec![
        (json!({"plan": "pro"}), true),
        (json!({"plan": "pro", "seats": 5, "theme": "dark"}), true),
        (json!({"plan": "pro", "seats": null}), true),
        (json!({"plan": 1}), false),
        (json!({"plan": "pro", "seats": "5"}), false),
        (json!({"plan": "pro", "theme": "blue"}), false),
        (json!({"plan": "pro", "other": true}), false),
        // A required claim is missing.
        (json!({"seats": 5}), false),
        (json!({}), false),
        (json!({"plan": null}), false),
    ]
}

/// Checks that a first token is issued, or that its grant is unused after a failure of the callback.
async fn issues(app: &TestApp, what: &Value, good: bool) {
    let grant = app.sign_in("ada").await.grant.unwrap();
    let issued = app.issue(&grant).await;
    if good {
        assert_eq!(claims_of(issued.unwrap().session)["plan"], "pro", "{what}");
    } else {
        let unavailable = (tonic::Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned());
        assert_eq!(refusal(issued), unavailable, "{what}");
        assert_eq!(refusal(app.issue(&grant).await), unavailable, "{what}: the grant is unused");
    }
}

#[tokio::test]
async fn callbacks_of_a_program_add_what_is_declared() {
    for (additions, good) in cases() {
        let told = additions.clone();
        let hooks: Hooks = on_jwt(move |_| Ok(claims(told.clone())));
        let app = builder().config(&declared("")).callbacks(hooks).start().await;
        issues(&app, &additions, good).await;
    }
}

#[tokio::test]
async fn a_service_adds_what_is_declared() {
    let service = CallbackServer::start().await;
    let app = builder().config(&declared(&service.section("callbacks: [jwt, session]"))).start().await;
    for (additions, good) in cases() {
        let told = additions.clone();
        service.rules.jwt.answers(move |_| answered(&told));
        issues(&app, &additions, good).await;
    }
}

#[tokio::test]
async fn expressions_add_what_is_declared() {
    for (expressions, good) in [
        ("{plan: \"'pro'\"}", true),
        ("{plan: \"'pro'\", seats: '2 + 3'}", true),
        ("{plan: \"'pro'\", seats: '2.5'}", false),
        ("{plan: \"'pro'\", theme: \"'blue'\"}", false),
        ("{seats: '5'}", false),
    ] {
        let app =
            builder().config(&declared(&format!("callbacks: {{cel: {{jwt: {expressions}}}}}"))).start().await;
        issues(&app, &json!(expressions), good).await;
    }
}

#[tokio::test]
async fn the_chain_is_checked_as_a_whole() {
    // The expression alone would be at fault: the next callback mends what it adds.
    let cel = "callbacks: {cel: {jwt: {seats: \"'many'\"}}}";
    let mends = on_jwt(|input| {
        assert_eq!(input.claims.get("seats"), Some(&json!("many")));
        Ok(claims(json!({"plan": "pro", "seats": 7})))
    });
    let app = builder().config(&declared(cel)).callbacks(mends).start().await;
    assert_eq!(claims_of(app.tokens("ada").await.session), json!({"plan": "pro", "seats": 7.0}));
}

#[tokio::test]
async fn without_a_jwt_callback_a_required_claim_is_missing() {
    let app = builder().config(&declared("")).start().await;
    issues(&app, &json!("no callback"), false).await;
}

#[tokio::test]
async fn a_session_callback_adds_what_is_declared() {
    for (additions, good) in [
        (json!({"seats": 9}), true),
        (json!({"plan": null}), true),
        (json!({"seats": "9"}), false),
        (json!({"greeting": "Hello"}), false),
    ] {
        let told = additions.clone();
        let hooks =
            on_jwt(|_| Ok(claims(json!({"plan": "pro"})))).and(on_session(move |_| Ok(object(told.clone()))));
        let app = builder().config(&declared("")).callbacks(hooks).start().await;
        let grant = app.sign_in("ada").await.grant.unwrap();
        assert_eq!(app.issue(&grant).await.is_ok(), good, "{additions}");
    }
    let service = CallbackServer::start().await;
    let cel = declared(&service.section("callbacks: [jwt, session]"));
    service.rules.jwt.answers(|_| answered(&json!({"plan": "pro"})));
    let app = builder().config(&cel).start().await;
    let token = app.tokens("ada").await.access_token;
    service.rules.session.answers(|_| shows(&json!({"theme": "blue"})));
    assert_eq!(refusal(app.session(&token).await).1, "CALLBACK_UNAVAILABLE");
}
