//! TLS towards a server: the authorities that verify it, and the client certificate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::SingleCertAndKey;

use super::authorities::authorities;
use super::pair::pair;
use super::pem::{Pem, TlsFault};
use super::reload::{Files, Reloading};
use super::time::Time;
use crate::model::Clock;

/// The files by which client and server verify each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// `ca`: the authorities that sign its certificate. Default (`None`): Mozilla's list of public ones.
    pub ca: Option<PathBuf>,
    /// `cert` and `key`: the client certificate, followed by its intermediates, and its private key. Default none.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// `domain_name`: the name that its certificate must have. Default (`None`): the host that is called.
    pub domain_name: Option<String>,
}

/// TLS with the last valid version of the files. They are read again for each connection, so that a renewed certificate
/// is used without a restart.
pub struct ClientTls(Reloading<ClientTlsFiles>);

impl ClientTls {
    /// Reads the files of this setting; the server's certificate must be valid by this clock. If that fails, returns
    /// every fault.
    pub fn load(
        setting: &'static str,
        files: ClientTlsFiles,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Vec<TlsFault>> {
        Reloading::load(setting, files, clock).map(Self)
    }

    /// Completes a TLS handshake with the server of this name, for HTTP/2.
    pub async fn connect(&self, tcp: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let config = self.0.refreshed().await;
        let name = self.0.files().domain_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let stream = TlsConnector::from(config).connect(name, tcp).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(io::Error::other("the server does not support HTTP/2 (ALPN h2)"))
        }
    }
}

impl ClientTlsFiles {
    /// Returns true if a certificate can have this name.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        ServerName::try_from(text).is_ok()
    }
}

impl Files for ClientTlsFiles {
    type Made = ClientConfig;

    fn paths(&self) -> [(&'static str, Option<&Path>); 3] {
        let (cert, key) = self.identity.as_ref().map(|(cert, key)| (cert.as_path(), key.as_path())).unzip();
        [("ca", self.ca.as_deref()), ("cert", cert), ("key", key)]
    }

    fn make(setting: &str, pems: [Option<Pem>; 3], clock: Arc<dyn Clock>) -> Result<ClientConfig, TlsFault> {
        let [ca, cert, key] = pems;
        let mut config = config(setting, ca.as_ref(), cert.as_ref().zip(key.as_ref()), clock)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

/// Configures a client that trusts the authorities in this file, or Mozilla's, and has no certificate of its own.
pub(in crate::net) fn client_config(
    setting: &str,
    ca: Option<&Path>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, TlsFault> {
    let ca = ca.map(|path| Pem::read(setting.to_owned(), path)).transpose()?;
    config(setting, ca.as_ref(), None, clock)
}

fn config(
    setting: &str,
    ca: Option<&Pem>,
    identity: Option<(&Pem, &Pem)>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, TlsFault> {
    // Never the process's default: the program that links this crate may have chosen another, or none.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = authorities(ca)?;
    let identity: Option<Arc<dyn ResolvesClientCert>> = match identity {
        Some((cert, key)) => Some(Arc::new(SingleCertAndKey::from(pair(cert, key, &provider)?.0))),
        None => None,
    };
    let builder = ClientConfig::builder_with_details(provider, Arc::new(Time(clock)))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::of_setting(setting, error))?
        .with_root_certificates(roots);
    Ok(match identity {
        Some(identity) => builder.with_client_cert_resolver(identity),
        None => builder.with_no_client_auth(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SystemClock;

    #[test]
    fn a_file_without_authorities_is_a_fault_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("empty.pem"), "").unwrap();
        std::fs::write(at("broken.pem"), "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
            .unwrap();
        for name in ["missing.pem", "empty.pem", "broken.pem"] {
            let fault = client_config("ca", Some(&at(name)), Arc::new(SystemClock)).map(drop).unwrap_err();
            assert!(fault.to_string().contains(name), "{fault}");
        }
        assert!(client_config("ca", None, Arc::new(SystemClock)).is_ok());
    }
}
