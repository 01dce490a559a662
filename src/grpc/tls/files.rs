//! The files that `server.tls` names, read together and made into what a handshake takes. What does not fit is a fault
//! that says what to put there; a certificate out of its time fits, since whoever is to replace it may need us running.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::SingleCertAndKey;

use super::certificate::Certificate;
use super::pair::pair;
use super::pem::{Pem, TlsFault, faults_of};
use super::time::Time;
use crate::model::{Clock, SystemClock, digest_of};

const CERT: &str = "server.tls.cert";
const KEY: &str = "server.tls.key";
const CLIENT_CA: &str = "server.tls.client_ca";

/// Where the certificate, its key and the clients' authorities are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// `cert`: the certificate, and its intermediates after it.
    pub cert: PathBuf,
    /// `key`: the certificate's private key.
    pub key: PathBuf,
    /// `client_ca`: the authorities of client certificates. Default (`None`): no client is asked for one.
    pub client_ca: Option<PathBuf>,
}

/// The files as they were read.
pub(super) struct Contents {
    cert: Pem,
    key: Pem,
    client_ca: Option<Pem>,
}

/// What was made of them.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    pub(super) certificate: Certificate,
    pub(super) digest: [u8; 32],
}

impl TlsFiles {
    pub(super) fn read(&self) -> Result<Contents, TlsFault> {
        Ok(Contents {
            cert: Pem::read(CERT, &self.cert)?,
            key: Pem::read(KEY, &self.key)?,
            client_ca: self.client_ca.as_ref().map(|path| Pem::read(CLIENT_CA, path)).transpose()?,
        })
    }

    /// What is wrong with them.
    pub(super) fn faults(&self) -> Vec<TlsFault> {
        let files = [(CERT, Some(&self.cert)), (KEY, Some(&self.key)), (CLIENT_CA, self.client_ca.as_ref())];
        faults_of(files, || self.read()?.load(Arc::new(SystemClock)))
    }
}

impl Contents {
    /// By which a change is known.
    pub(super) fn digest(&self) -> [u8; 32] {
        let client_ca = self.client_ca.as_ref().map_or(&b""[..], Pem::bytes);
        digest_of(b"gatepass tls files", &[self.cert.bytes(), self.key.bytes(), client_ca])
    }

    /// What a handshake takes; a client's certificate must hold by this clock.
    pub(super) fn load(&self, clock: Arc<dyn Clock>) -> Result<Loaded, TlsFault> {
        // Never the process's default: whoever links us may have chosen another, or none.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (certified, certificate) = pair(&self.cert, &self.key, &provider)?;
        let builder = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(Time(clock)))
            .with_safe_default_protocol_versions()
            .map_err(|error| self.cert.fault(error.to_string()))?;
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        let mut config = match &self.client_ca {
            None => builder.with_no_client_auth().with_cert_resolver(resolver),
            Some(pem) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(pem.authorities()?, provider)
                    // Probes have no certificate, and callers may prove themselves by a key.
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| pem.fault(error.to_string()))?;
                let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(resolver);
                // A resumed session would bring back a certificate that has expired since.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
                config
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Loaded { config: Arc::new(config), certificate, digest: self.digest() })
    }
}
