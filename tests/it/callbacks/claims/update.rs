//! `update` of `RefreshToken`: changes that are not as declared are the client's fault.

use gatepass::grpc::proto::v1::RefreshTokenRequest;
use serde_json::{Value, json};

use super::{claims_of, declared};
use crate::support::callback_service::to_struct;
use crate::support::fields;
use crate::support::hooks::{claims, on_jwt};
use crate::support::{TestApp, builder};

async fn app() -> TestApp {
    let hooks = on_jwt(|input| {
        Ok(claims(if input.claims.contains_key("plan") { json!({}) } else { json!({"plan": "free"}) }))
    });
    builder().config(&declared("session: {update_allow: [plan, theme]}")).callbacks(hooks).start().await
}

fn request(refresh_token: &str, update: &Value) -> RefreshTokenRequest {
    let update = Some(to_struct(update));
    RefreshTokenRequest { refresh_token: refresh_token.to_owned(), update, ..Default::default() }
}

#[tokio::test]
async fn an_update_changes_declared_claims_to_their_type() {
    let app = app().await;
    let token = app.tokens("ada").await.refresh_token;
    for bad in
        [json!({"theme": "blue"}), json!({"theme": 1}), json!({"plan": null}), json!({"plan": ["pro"]})]
    {
        let refused = app.auth.clone().refresh_token(request(&token, &bad)).await;
        assert_eq!(fields(refused), ["update"], "{bad}");
    }
    // The token was not spent. A name that the client may not change is ignored, whatever its value.
    let update = json!({"theme": "dark", "plan": "pro", "seats": "many", "other": 1});
    let refreshed = app.auth.clone().refresh_token(request(&token, &update)).await.unwrap().into_inner();
    assert_eq!(claims_of(refreshed.session), json!({"theme": "dark", "plan": "pro"}));
    let removed =
        app.auth.clone().refresh_token(request(&refreshed.refresh_token, &json!({"theme": null}))).await;
    assert_eq!(claims_of(removed.unwrap().into_inner().session), json!({"plan": "pro"}));
}
