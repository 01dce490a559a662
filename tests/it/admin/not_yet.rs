//! Parts of the protocol that this version does not implement.

use crate::support::callers::call;
use crate::support::{app, refusal};
use tonic::Code;

#[tokio::test]
async fn a_method_of_a_later_version_is_unimplemented() {
    let app = app().await;
    for method in [
        "AdminService/ListUsers",
        "AdminService/CreateUser",
        "AdminService/DeleteUser",
        "AdminService/ListAccounts",
        "AdminService/UnlinkAccount",
        "AdminService/ListSessions",
        "AdminService/ListAuthLogs",
        "AdminService/WatchAuthLogs",
        "RevocationService/WatchRevocations",
    ] {
        let answer = call(&app.channel, &format!("/gatepass.v1.{method}"), "").await;
        assert_eq!(refusal(answer), (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned()), "{method}");
    }
}
