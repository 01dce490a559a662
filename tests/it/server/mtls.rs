//! Callers identified by their TLS client certificate, tested with the real program.

use std::fs;

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{GetUserRequest, ResolveRedirectRequest};
use tempfile::TempDir;
use tonic::{Code, Request};

use crate::support::callers::{callers, credential, key};
use crate::support::program::Serving;
use crate::support::tls::{Authority, Identity, SERVER, channel, check};
use crate::support::{refusal, with_key};

struct Mtls {
    authority: Authority,
    program: Serving,
    _folder: TempDir,
}

impl Mtls {
    async fn start(entries: &[(&str, &str)]) -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        authority.issue(&[SERVER]).write(folder.path());
        fs::write(folder.path().join("ca.crt"), &authority.pem).unwrap();
        let entry = |(id, credential): &(&str, &str)| {
            format!("  - {{id: {id}, credential: {credential}, allow: [session.read]}}\n")
        };
        let yaml = format!(
            "server: {{tls: {{cert: tls.crt, key: tls.key, client_ca: ca.crt}}}}\n{}",
            callers(&entries.iter().map(entry).collect::<Vec<_>>())
        );
        fs::write(folder.path().join("g.yaml"), yaml).unwrap();
        let program = Serving::ready(folder.path(), &["--config", "g.yaml"], &[]).await;
        Self { authority, program, _folder: folder }
    }

    /// Checks if the program identifies a caller by an optional certificate of these names and an optional key.
    async fn knows(&self, names: Option<&[&str]>, caller: Option<&str>) -> bool {
        let identity: Option<Identity> = names.map(|names| self.authority.issue(names));
        let channel = channel(self.program.grpc, &self.authority.client(identity.as_ref())).await;
        check(&channel).await.expect("health asks for no caller");
        let message = ResolveRedirectRequest::default();
        let request = match caller {
            Some(caller) => with_key(message, &key(caller)),
            None => Request::new(message),
        };
        let answer = AuthServiceClient::new(channel).resolve_redirect(request).await;
        if answer.is_err() {
            assert_eq!(refusal(answer), (Code::Unauthenticated, "CALLER_UNKNOWN".to_owned()));
            return false;
        }
        true
    }
}

#[tokio::test]
async fn what_a_certificate_and_a_key_name_must_be_one_caller() {
    let both = format!("[{{mtls_san: both.internal}}, {}]", credential(&key("both")));
    let mtls = Mtls::start(&[
        ("dns", "{mtls_san: Web.Internal}"),
        ("workload", "{mtls_san: 'spiffe://example.org/ns/shop/sa/web'}"),
        ("both", &both),
        ("keyed", &credential(&key("keyed"))),
    ])
    .await;
    let workload = "spiffe://example.org/ns/shop/sa/web";
    for (names, caller, known) in [
        (Some(&["web.internal"][..]), None, true),
        (Some(&["WEB.internal"]), None, true),
        (Some(&["other.internal", "web.internal"]), None, true),
        (Some(&[workload]), None, true),
        (Some(&[workload, "any.internal"]), None, true),
        (Some(&["both.internal"]), None, true),
        (Some(&["both.internal"]), Some("both"), true),
        (None, Some("both"), true),
        (None, Some("keyed"), true),
        (None, None, false),
        (None, Some("dns"), false),
        (Some(&["unknown.internal"]), None, false),
        (Some(&["*.internal"]), None, false),
        (Some(&["a.web.internal"]), None, false),
        (Some(&["spiffe://example.org/ns/shop/sa/WEB"]), None, false),
        (Some(&["spiffe://example.org/ns/shop/sa/web/1"]), None, false),
        (Some(&[workload, "spiffe://example.org/other"]), None, false),
        (Some(&[workload, "web.internal"]), None, false),
        (Some(&["unknown.internal"]), Some("keyed"), false),
        (Some(&["web.internal"]), Some("keyed"), false),
        (Some(&["web.internal"]), Some("both"), false),
        (Some(&["both.internal"]), Some("nobody"), false),
        (Some(&[]), None, false),
        (Some(&[]), Some("keyed"), false),
    ] {
        assert_eq!(mtls.knows(names, caller).await, known, "{names:?} {caller:?}");
    }
    mtls.program.stop().await;
}

#[tokio::test]
async fn where_no_caller_is_known_by_a_certificate_a_mesh_may_present_its_own() {
    let mtls = Mtls::start(&[("keyed", &credential(&key("keyed")))]).await;
    for (names, caller, known) in [
        (Some(&["sidecar.internal"][..]), Some("keyed"), true),
        (None, Some("keyed"), true),
        (Some(&["sidecar.internal"]), None, false),
    ] {
        assert_eq!(mtls.knows(names, caller).await, known, "{names:?} {caller:?}");
    }
    mtls.program.stop().await;
}

#[tokio::test]
async fn a_caller_known_by_its_certificate_may_do_what_it_is_allowed() {
    let mtls = Mtls::start(&[("web", "{mtls_san: web.internal}")]).await;
    let client = mtls.authority.client(Some(&mtls.authority.issue(&["web.internal"])));
    let channel = channel(mtls.program.grpc, &client).await;
    let answer = AdminServiceClient::new(channel).get_user(GetUserRequest::default()).await;
    assert_eq!(refusal(answer), (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned()));
    mtls.program.stop().await;
}
