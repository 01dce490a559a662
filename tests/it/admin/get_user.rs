//! `GetUser`: one user, by id or by verified e-mail.

use gatepass::grpc::proto::v1::{GetUserRequest, ProfileCredential, User, get_user_request::Key};
use tonic::{Code, Status};

use crate::support::people::{NOBODY, fields};
use crate::support::{TestApp, allowed, app, credential, refusal};

async fn get_user(app: &TestApp, key: Key) -> Result<User, Status> {
    let answer = app.admin.clone().get_user(GetUserRequest { key: Some(key) }).await?;
    Ok(answer.into_inner().user.unwrap())
}

fn id(id: &str) -> Key {
    Key::UserId(id.to_owned())
}

fn email(email: &str) -> Key {
    Key::Email(email.to_owned())
}

#[tokio::test]
async fn a_user_is_found_by_id_and_by_verified_email() {
    let app = app().await;
    let user = app.sign_in("ada").await.user.unwrap();
    for key in [id(&user.id), email("ada@example.com"), email("ADA@Example.COM")] {
        assert_eq!(get_user(&app, key.clone()).await.unwrap(), user, "{key:?}");
    }
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
}

#[tokio::test]
async fn an_unknown_user_is_not_found() {
    let app = app().await;
    let unverified = ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: "eve".to_owned(),
        email: Some("eve@example.com".to_owned()),
        ..Default::default()
    };
    allowed(app.try_sign_in(credential(unverified)).await);
    for key in [id(NOBODY), email("nobody@example.com"), email("eve@example.com")] {
        let wanted = (Code::NotFound, "USER_NOT_FOUND".to_owned());
        assert_eq!(refusal(get_user(&app, key.clone()).await), wanted, "{key:?}");
    }
}

#[tokio::test]
async fn a_key_that_can_match_no_user_is_invalid() {
    let app = app().await;
    let upper = NOBODY.to_uppercase();
    for text in ["", "ada", &upper, &NOBODY.replace('-', ""), "6ba7b810-9dad-41d1-80b4-00c04fd430c8"] {
        assert_eq!(fields(get_user(&app, id(text)).await), ["user_id"], "{text}");
    }
    for text in ["", "ada", "Ada <ada@example.com>", "ada@example.com "] {
        assert_eq!(fields(get_user(&app, email(text)).await), ["email"], "{text}");
    }
    let nothing = app.admin.clone().get_user(GetUserRequest { key: None }).await;
    assert_eq!(fields(nothing), ["key"]);
}
