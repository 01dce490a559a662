//! TLS towards a server that we call: whom we take for it, and how we prove ourselves. The files are read again for each
//! connection, so that a renewed certificate is taken without a restart; what does not fit leaves those before in use.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::pair::pair;
use super::pem::{Pem, TlsFault, faults_of};
use super::time::Time;
use crate::model::{Clock, SystemClock, digest_of};

const CA: &str = "callbacks.remote.tls.ca";
const CERT: &str = "callbacks.remote.tls.cert";
const KEY: &str = "callbacks.remote.tls.key";

/// What proves a callback service, and us to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// `ca`: the authorities that sign its certificate. Default (`None`): Mozilla's list of public ones.
    pub ca: Option<PathBuf>,
    /// `cert` and `key`: our own certificate, its intermediates after it, and its private key. Default none.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// `domain_name`: the name that its certificate must have. Default (`None`): the host that is called.
    pub domain_name: Option<String>,
}

/// TLS with the files as they were when last found sound.
pub struct ClientTls {
    files: ClientTlsFiles,
    clock: Arc<dyn Clock>,
    in_use: ArcSwap<Loaded>,
}

struct Loaded {
    config: Arc<ClientConfig>,
    digest: [u8; 32],
}

/// The files as they were read.
struct Contents {
    ca: Option<Pem>,
    identity: Option<(Pem, Pem)>,
}

impl ClientTls {
    /// Reads the files; the server's certificate must hold by this clock.
    pub fn load(files: ClientTlsFiles, clock: Arc<dyn Clock>) -> Result<Self, TlsFault> {
        let in_use = files.read()?.load(Arc::clone(&clock))?;
        Ok(Self { files, clock, in_use: ArcSwap::from_pointee(in_use) })
    }

    /// What is wrong with the files: with each that can't be read, or else with what is in them.
    #[must_use]
    pub fn check(files: &ClientTlsFiles) -> Vec<TlsFault> {
        files.faults()
    }

    /// Shakes hands with the server of this name, to speak HTTP/2.
    pub(in crate::grpc) async fn connect(
        &self,
        tcp: TcpStream,
        host: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        match self.changed().await {
            Ok(Some(loaded)) => self.in_use.store(Arc::new(loaded)),
            Ok(None) => {}
            Err(fault) => tracing::error!(%fault, "tls files not loaded, those before stay in use"),
        }
        let name = self.files.domain_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let config = Arc::clone(&self.in_use.load().config);
        let stream = TlsConnector::from(config).connect(name, tcp).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(io::Error::other("the server does not speak HTTP/2 (ALPN h2)"))
        }
    }

    /// What the files have become, if they are no longer as they are in use.
    async fn changed(&self) -> Result<Option<Loaded>, TlsFault> {
        let (files, clock, in_use) = (self.files.clone(), Arc::clone(&self.clock), self.in_use.load_full());
        let read = tokio::task::spawn_blocking(move || {
            let contents = files.read()?;
            if contents.digest() == in_use.digest { Ok(None) } else { contents.load(clock).map(Some) }
        });
        // It ends early only with the runtime.
        read.await.unwrap_or(Ok(None))
    }
}

impl ClientTlsFiles {
    /// Whether a certificate can have this name.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        ServerName::try_from(text).is_ok()
    }

    fn read(&self) -> Result<Contents, TlsFault> {
        let ca = self.ca.as_ref().map(|path| Pem::read(CA, path)).transpose()?;
        let identity = match &self.identity {
            Some((cert, key)) => Some((Pem::read(CERT, cert)?, Pem::read(KEY, key)?)),
            None => None,
        };
        Ok(Contents { ca, identity })
    }

    fn faults(&self) -> Vec<TlsFault> {
        let (cert, key) = self.identity.as_ref().map(|(cert, key)| (cert, key)).unzip();
        faults_of([(CA, self.ca.as_ref()), (CERT, cert), (KEY, key)], || {
            self.read()?.load(Arc::new(SystemClock))
        })
    }
}

impl Contents {
    fn digest(&self) -> [u8; 32] {
        let ca = self.ca.as_ref().map_or(&b""[..], Pem::bytes);
        let (cert, key) =
            self.identity.as_ref().map_or((&b""[..], &b""[..]), |(cert, key)| (cert.bytes(), key.bytes()));
        digest_of(b"gatepass client tls files", &[ca, cert, key])
    }

    fn load(&self, clock: Arc<dyn Clock>) -> Result<Loaded, TlsFault> {
        // Never the process's default: whoever links us may have chosen another, or none.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = match &self.ca {
            Some(pem) => pem.authorities()?,
            None => Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }),
        };
        let identity: Option<Arc<dyn ResolvesClientCert>> = match &self.identity {
            Some((cert, key)) => {
                let (certified, _) = pair(cert, key, &provider)?;
                Some(Arc::new(SingleCertAndKey::from(certified)))
            }
            None => None,
        };
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(Time(clock)))
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots))
            .map(|builder| match identity {
                Some(identity) => builder.with_client_cert_resolver(identity),
                None => builder.with_no_client_auth(),
            })
            .map_err(|error| TlsFault::of_setting("callbacks.remote.tls", error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Loaded { config: Arc::new(config), digest: self.digest() })
    }
}
