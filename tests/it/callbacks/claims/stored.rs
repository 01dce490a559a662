//! Stored claims that no longer have their declared type are left out and counted.

use serde_json::json;

use super::{claims_of, declared};
use crate::support::builder;
use crate::support::hooks::{claims, on_jwt};
use crate::support::strategy::also_with_references;

#[tokio::test]
async fn stored_claims_that_no_longer_fit_are_left_out() {
    let before = on_jwt(|_| Ok(claims(json!({"plan": "pro", "seats": "many", "old": [1], "theme": "dark"}))));
    let app = builder().callbacks(before).start().await;
    let tokens = app.tokens("ada").await;
    let after = on_jwt(|input| {
        assert_eq!(json!(input.claims), json!({"plan": "pro", "theme": "dark"}));
        Ok(claims(json!({})))
    });
    let typed = app.beside().config(&declared("")).callbacks(after).start().await;
    let read = typed.session(&tokens.access_token).await.unwrap();
    assert_eq!(claims_of(read.session), json!({"plan": "pro", "theme": "dark"}));
    assert_eq!(typed.metrics().await.counted("gatepass_claims_left_out_total"), ["2"]);
    let refreshed = typed.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(claims_of(refreshed.session), json!({"plan": "pro", "theme": "dark"}));
    assert_eq!(typed.metrics().await.counted("gatepass_claims_left_out_total"), ["4"]);
    // They are gone from the row, too.
    let read = typed.session(&refreshed.access_token).await.unwrap();
    assert_eq!(claims_of(read.session), json!({"plan": "pro", "theme": "dark"}));
    assert_eq!(typed.metrics().await.counted("gatepass_claims_left_out_total"), ["4"]);
}

also_with_references!(stored_claims_that_no_longer_fit_are_left_out,);
