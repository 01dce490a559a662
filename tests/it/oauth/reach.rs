//! The way to a provider: a proxy, its exceptions, and an address of its own for discovery.

use gatepass::net::Proxy;

use super::*;
use crate::support::provider::Endpoint;
use crate::support::proxy::TestProxy;
use crate::support::tls::Authority;

/// A name that only the proxy can resolve.
const NAME: &str = "idp.test";

/// A provider that only a proxy leads to.
struct Outside {
    at: TestProvider,
    settings: Settings,
    _ca: tempfile::NamedTempFile,
}

impl Outside {
    async fn start() -> Self {
        let authority = Authority::new();
        let at = TestProvider::start_named(NAME, &authority.issue(&[NAME])).await;
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), &authority.pem).unwrap();
        let settings = Settings { ca: Some(ca.path().to_owned()), ..oidc(&at) };
        Self { at, settings, _ca: ca }
    }

    async fn sign_in(&self, proxy: &str, no_proxy: &[&str]) -> Result<Proof, ProviderFault> {
        let proxy = Proxy::new(&proxy.into(), no_proxy.iter().copied()).unwrap();
        let settings = Settings { proxy: Some(proxy), ..self.settings.clone() };
        connect(settings, &self.at).sign_in(&self.at, Person::named("ada")).await
    }
}

#[tokio::test]
async fn a_provider_is_reached_through_the_proxy() {
    let (outside, proxy) = (Outside::start().await, TestProxy::start().await);
    let proof = outside.sign_in(&format!("http://{}", proxy.authority()), &[]).await.unwrap();
    assert_eq!(proof.profile.email.unwrap().as_str(), "ada@example.com");
    let tunnels = proxy.tunnels();
    let wanted = format!("{NAME}:{}", outside.at.port());
    assert!(!tunnels.is_empty() && tunnels.iter().all(|tunnel| *tunnel == wanted), "{tunnels:?}");
}

#[tokio::test]
async fn a_proxy_gets_its_credentials_and_a_fault_does_not_show_them() {
    let outside = Outside::start().await;
    let proxy = TestProxy::start_for("Basic YmVuOnMgY3JldA==").await;
    let authority = proxy.authority();
    for credentials in ["", "ben:wrong@", "ben@"] {
        let fault = outside.sign_in(&format!("http://{credentials}{authority}"), &[]).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable);
        let text = format!("{fault:?}");
        assert!(text.contains("proxy authorization required") && !text.contains("wrong"), "{text}");
    }
    assert!(proxy.tunnels().is_empty());
    outside.sign_in(&format!("http://ben:s%20cret@{authority}"), &[]).await.unwrap();
}

#[tokio::test]
async fn an_excepted_provider_is_not_reached_through_the_proxy() {
    let (outside, proxy) = (Outside::start().await, TestProxy::start().await);
    for exception in [NAME, "test", "*"] {
        let fault = outside.sign_in(&proxy.authority(), &[exception]).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{exception}");
    }
    assert!(proxy.tunnels().is_empty());
}

#[tokio::test]
async fn this_machine_is_not_reached_through_the_proxy() {
    let (at, proxy) = (TestProvider::start().await, TestProxy::start().await);
    let through = Proxy::new(&proxy.authority().into(), []).unwrap();
    let settings = Settings { proxy: Some(through), plaintext: true, ..oidc(&at) };
    connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap();
    assert!(proxy.tunnels().is_empty());
}

#[tokio::test]
async fn discovery_at_an_address_of_its_own_names_the_issuer() {
    let at = TestProvider::start().await;
    let public = "https://sso.corp.example";
    let kind = ProviderKind::Oidc {
        issuer: public.to_owned(),
        discovery_url: Some(url(&at, "/.well-known/openid-configuration")),
        jwks_url: None,
        userinfo: Userinfo::Never,
    };
    let corp = || connect(settings(kind.clone()), &at);
    assert_eq!(corp().begin().await.unwrap_err().kind, FaultKind::Metadata);

    at.edits_metadata(move |metadata| drop(metadata.insert("issuer".to_owned(), public.into())));
    at.edits_id_tokens(move |_, claims| drop(claims.insert("iss".to_owned(), public.into())));
    at.sends_no_iss();
    let proof = corp().sign_in(&at, Person::named("ada")).await.unwrap();
    assert_eq!(proof.profile.identity.issuer, public);
    assert_eq!(at.seen(Endpoint::Discovery).len(), 2);
}
