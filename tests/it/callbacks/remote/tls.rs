//! TLS to the service: the server names that Gatepass accepts, and its own client certificate.

use std::sync::Arc;

use gatepass::app::App;
use tempfile::TempDir;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::server::WebPkiClientVerifier;

use super::unavailable;
use crate::support::callback_service::CallbackServer;
use crate::support::log::Log;
use crate::support::tls::{Authority, Identity};
use crate::support::{TestApp, builder, eventually, profile, refusal};

/// The name in the service's certificate.
const NAME: &str = "rules.test";

/// A service with TLS, and the files of its clients.
struct Scene {
    authority: Authority,
    service: CallbackServer,
    folder: TempDir,
}

impl Scene {
    /// Starts a service with this name, which requests client certificates of the same authority.
    async fn of(name: &str, client_ca: bool) -> Self {
        let authority = Authority::new();
        let identity = authority.issue(&[name]);
        let service = CallbackServer::start_with(Some(server(&authority, &identity, client_ca))).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), &authority.pem).unwrap();
        Self { authority, service, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Starts a Gatepass that calls the service, with these settings in `tls`.
    async fn app(&self, tls: &str) -> TestApp {
        let url = format!("https://{}", self.service.addr);
        let config = format!(
            "callbacks: {{remote: {{url: '{url}', callbacks: [sign_in], credential: opensesame, tls: {{{tls}}}}}}}"
        );
        builder().config(&config).start().await
    }

    fn trust(&self) -> String {
        format!("ca: '{}', domain_name: {NAME}", self.path("ca.crt"))
    }
}

fn server(authority: &Authority, identity: &Identity, client_ca: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if client_ca {
        let roots = authority.roots();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(vec![identity.der()], identity.key_der()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[tokio::test]
async fn a_service_with_a_valid_certificate_gets_the_call_and_the_credential() {
    let scene = Scene::of(NAME, false).await;
    let app = scene.app(&scene.trust()).await;
    app.sign_in("ada").await;
    let metadata = scene.service.rules.sign_in.last().metadata;
    assert_eq!(metadata.get("authorization").unwrap(), "Bearer opensesame");
}

#[tokio::test]
async fn the_host_of_the_url_is_the_name_where_no_other_is_given() {
    let scene = Scene::of("127.0.0.1", false).await;
    let app = scene.app(&format!("ca: '{}'", scene.path("ca.crt"))).await;
    app.sign_in("ada").await;
}

#[tokio::test]
async fn a_service_of_another_name_or_authority_is_told_nothing() {
    let (log, _logging) = Log::begin();
    let scene = Scene::of("other.test", false).await;
    let stranger = Authority::new();
    std::fs::write(scene.folder.path().join("stranger.crt"), &stranger.pem).unwrap();
    let of_stranger = format!("ca: '{}', domain_name: other.test", scene.path("stranger.crt"));
    // The last one trusts only public authorities.
    for tls in [scene.trust(), of_stranger, "domain_name: other.test".to_owned()] {
        let app = scene.app(&tls).await;
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable(), "{tls}");
    }
    assert_eq!(scene.service.rules.calls(), 0);
    let lines = log.lines("callback service not reached");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].contains("not valid for name"), "{lines:?}");
    assert!(log.lines("opensesame").is_empty());
}

#[tokio::test]
async fn a_renewed_client_certificate_is_read_for_the_next_connection() {
    let mut scene = Scene::of(NAME, true).await;
    let with_identity =
        format!("{}, cert: '{}', key: '{}'", scene.trust(), scene.path("tls.crt"), scene.path("tls.key"));
    let bare = scene.app(&scene.trust()).await;
    assert_eq!(refusal(bare.try_sign_in(profile("ada")).await), unavailable());

    scene.authority.issue(&["gatepass"]).write(scene.folder.path());
    let app = scene.app(&with_identity).await;
    app.sign_in("ada").await;

    // A certificate of another authority is rejected, which shows that it was read. The next one is accepted.
    Authority::new().issue(&["gatepass"]).write(scene.folder.path());
    scene.service.stop().await;
    scene.service.start_again().await;
    eventually("the stranger's is presented", async || app.try_sign_in(profile("ada")).await.is_err()).await;
    scene.authority.issue(&["gatepass"]).write(scene.folder.path());
    eventually("the renewed one is presented", async || {
        app.clock.advance(std::time::Duration::from_secs(5));
        app.try_sign_in(profile("ada")).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_service_that_does_not_choose_http_2_is_not_spoken_to() {
    let authority = Authority::new();
    let identity = authority.issue(&[NAME]);
    let mut config = ServerConfig::clone(&server(&authority, &identity, false));
    config.alpn_protocols.clear();
    let service = CallbackServer::start_with(Some(Arc::new(config))).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.crt"), &authority.pem).unwrap();
    let scene = Scene { authority, service, folder };
    let (log, _logging) = Log::begin();
    let app = scene.app(&scene.trust()).await;
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    assert!(log.lines("callback service not reached")[0].contains("ALPN h2"));
}

#[tokio::test]
async fn files_that_can_not_be_used_stop_the_start_and_are_named() {
    let scene = Scene::of(NAME, false).await;
    let other = scene.authority.issue(&["gatepass"]);
    scene.authority.issue(&["gatepass"]).write(scene.folder.path());
    std::fs::write(scene.folder.path().join("other.key"), &other.key).unwrap();
    let pair = |cert: &str, key: &str| format!("cert: '{}', key: '{}'", scene.path(cert), scene.path(key));
    for (tls, setting, told) in [
        (format!("ca: '{}'", scene.path("none.crt")), "ca", "cannot be read"),
        (format!("ca: '{}'", scene.path("tls.key")), "ca", "holds no certificate"),
        (pair("tls.crt", "other.key"), "key", "is not the key of the first certificate"),
        (pair("tls.key", "tls.crt"), "cert", "holds no certificate"),
    ] {
        let url = format!("https://{}", scene.service.addr);
        let config =
            format!("callbacks: {{remote: {{url: '{url}', callbacks: [sign_in], tls: {{{tls}}}}}}}\n");
        let config = crate::support::app().await.config(|yaml| yaml + &config);
        let faults = App::new(config.clone()).prepare().err().unwrap();
        let [fault] = faults.as_slice() else { panic!("{faults:?}") };
        let fault = fault.to_string();
        assert!(fault.starts_with(&format!("callbacks.remote.tls.{setting}: ")), "{fault}");
        assert!(fault.contains(told), "{fault}");
        let ended = App::new(config).bind().await.err().unwrap();
        assert_eq!(ended.to_string(), fault);
    }
}
