//! The shipped samples of policies against a linked private account. A company user linked a private account, and the
//! company closed its own account. The stored user still has the company's address; only the profile shows who signs in.

use std::path::Path;
use std::sync::Arc;

use gatepass::grpc::proto::callback::v1::callback_service_server::CallbackServiceServer;
use gatepass::grpc::proto::v1::{ProfileCredential, SignInRequest};
use tokio::net::TcpListener;

use crate::support::callback_service::{section_at, serve_any};
use crate::support::denied;
use crate::support::{Builder, TestApp, allowed, app, credential};

#[path = "../../../examples/embedded.rs"]
#[expect(dead_code, reason = "the program's own main is not called")]
mod embedded;
#[path = "../../../examples/callbacks/rust/rules.rs"]
mod rules;

fn account(provider: &str, email: &str) -> SignInRequest {
    credential(ProfileCredential {
        provider: provider.to_owned(),
        provider_account_id: "ada".to_owned(),
        email: Some(email.to_owned()),
        email_verified: true,
        ..Default::default()
    })
}

/// Runs the story against the policy that `with_policy` adds, which admits this domain.
async fn a_linked_private_account_is_denied(domain: &str, with_policy: impl FnOnce(Builder) -> Builder) {
    let open = app().await;
    let company = account("corp", &format!("ada@{domain}"));
    let private = account("private", "ada@private.example");
    let signed_in = allowed(open.try_sign_in(company.clone()).await);
    let issued = open.issue(&signed_in.grant.unwrap()).await.unwrap();
    let linking = SignInRequest { link_access_token: issued.access_token, ..private.clone() };
    assert!(allowed(open.try_sign_in(linking).await).linked);
    let guarded: TestApp = with_policy(open.beside()).start().await;
    // While the company's account exists, it signs the user in.
    let user = allowed(guarded.try_sign_in(company).await).user.unwrap();
    assert_eq!((user.email, user.email_verified), (Some(format!("ada@{domain}")), true));
    // The user still has that address after the company closed the account. The private account is no proof of it.
    let refused = denied(guarded.try_sign_in(private).await);
    assert_eq!(refused.reason().as_str_name(), "DENIAL_REASON_CALLBACK_DENIED");
}

#[tokio::test]
async fn the_expressions_of_the_readme_refuse_a_linked_private_account() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, after) = readme.split_once("<!-- file: callbacks.yaml -->\n```yaml\n").unwrap();
    let (yaml, _) = after.split_once("```").unwrap();
    a_linked_private_account_is_denied("company.com", |builder| builder.config(yaml)).await;
}

#[tokio::test]
async fn the_embedded_sample_refuses_a_linked_private_account() {
    let rules = embedded::Rules { tenant: "acme" };
    a_linked_private_account_is_denied("example.com", |builder| builder.callbacks(rules)).await;
}

#[tokio::test]
async fn the_sample_service_refuses_a_linked_private_account() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let section = section_at(listener.local_addr().unwrap(), "");
    let service = CallbackServiceServer::new(rules::Rules);
    let _serving = serve_any(listener, service, Arc::default(), None);
    a_linked_private_account_is_denied("company.com", |builder| builder.config(&section)).await;
}
