//! `IssueToken`: a grant becomes the first two tokens of its session.

use gatepass::grpc::proto::v1::Rotation;

use crate::support::{app, reason};

#[tokio::test]
async fn a_grant_is_redeemed_once() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let issued = app.issue(&grant).await.unwrap();
    assert_eq!(issued.rotation(), Rotation::Issued);
    assert_eq!(issued.token_type, "Bearer");
    assert_eq!(reason(app.issue(&grant).await), "GRANT_USED");
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS"]);
}
