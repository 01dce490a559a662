//! Certificates for a test, and clients that complete handshakes with them.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gatepass::net::tls::TlsFiles;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::service_fn;

/// The name of every test server.
pub const SERVER: &str = "gatepass.test";

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The certificate of the authority.
    pub pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Identity {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Issues a certificate for these DNS names, IP addresses and URIs.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_until(2100, names)
    }

    /// Issues a certificate that is valid until the beginning of this year.
    pub fn issue_until(&self, year: i32, names: &[&str]) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.iter().map(|name| san(name)).collect();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity { cert, key: key.serialize_pem() }
    }

    /// Returns a root store that contains only this authority.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        roots
    }

    /// Builds a client that trusts only this authority, and presents this certificate.
    pub fn client(&self, identity: Option<&Identity>) -> ClientConfig {
        self.client_of(identity, &[&TLS13, &TLS12])
    }

    /// Builds the same client for these versions of TLS.
    pub fn client_of(
        &self,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let roots = self.roots();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                builder.with_client_auth_cert(vec![identity.der()], identity.key_der()).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

fn san(name: &str) -> SanType {
    if let Ok(addr) = name.parse() {
        return SanType::IpAddress(addr);
    }
    let text = name.try_into().unwrap();
    if name.contains("://") { SanType::URI(text) } else { SanType::DnsName(text) }
}

impl Identity {
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.cert.as_bytes()).unwrap()
    }

    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    /// Writes the certificate and the key to the paths of [`files`].
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("tls.crt"), &self.cert).unwrap();
        fs::write(folder.join("tls.key"), &self.key).unwrap();
    }
}

/// Returns the paths in a folder: those that an [`Identity`] wrote, and `ca.crt` if it exists.
pub fn files(folder: &Path) -> TlsFiles {
    let client_ca = folder.join("ca.crt");
    TlsFiles {
        cert: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        client_ca: client_ca.exists().then_some(client_ca),
    }
}

/// Connects to a server of this name and completes the handshake.
pub async fn shake(
    addr: SocketAddr,
    client: &ClientConfig,
    name: &'static str,
) -> io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(addr).await?;
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::new(client.clone())).connect(name, tcp).await
}

/// Returns the certificate that a server presents to a new connection.
pub async fn presented(addr: SocketAddr, client: &ClientConfig) -> CertificateDer<'static> {
    let stream = shake(addr, client, SERVER).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

/// Opens a connection for calls.
pub async fn channel(addr: SocketAddr, client: &ClientConfig) -> Channel {
    let client = client.clone();
    let connect = move |_| {
        let client = client.clone();
        async move { shake(addr, &client, SERVER).await.map(TokioIo::new) }
    };
    Endpoint::from_static("http://gatepass.test").connect_with_connector(service_fn(connect)).await.unwrap()
}

/// Asks the health service for the liveness of the process.
pub async fn check(channel: &Channel) -> Result<(), Status> {
    let request = HealthCheckRequest { service: "liveness".into() };
    HealthClient::new(channel.clone()).check(request).await.map(drop)
}
