//! TLS on a server port: the certificate, its key and the authorities of client certificates. An invalid file is a
//! fault that says what to write. An expired certificate is accepted, since its replacement may need a running
//! Gatepass.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::SingleCertAndKey;

use super::authorities::authorities;
use super::certificate::Certificate;
use super::pair::pair;
use super::pem::{Pem, TlsFault};
use super::reload::{Files, Reloading};
use super::time::Time;
use crate::model::{Clock, Timestamp};

/// The paths of the certificate, its key and the clients' authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// `cert`: the certificate, followed by its intermediates.
    pub cert: PathBuf,
    /// `key`: the certificate's private key.
    pub key: PathBuf,
    /// `client_ca`: the authorities of client certificates. Default (`None`): no client certificate is requested.
    pub client_ca: Option<PathBuf>,
}

/// The configuration made from the files.
pub(super) struct Made {
    config: Arc<ServerConfig>,
    certificate: Certificate,
}

/// TLS with the last valid version of the files.
pub struct Tls {
    files: Reloading<TlsFiles>,
    clock: Arc<dyn Clock>,
}

impl Tls {
    /// Reads the files of this setting; a client's certificate must be valid by this clock. If that fails, returns
    /// every fault.
    pub fn load(
        setting: &'static str,
        files: TlsFiles,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Vec<TlsFault>> {
        Ok(Self { files: Reloading::load(setting, files, Arc::clone(&clock))?, clock })
    }

    /// Requests an immediate read of the files.
    pub fn reload(&self) {
        self.files.reload();
    }

    /// Follows the files forever.
    pub async fn follow(&self) {
        let mut held = self.holds();
        let after = |changed| {
            if changed {
                self.tell();
            } else if held && !self.holds() {
                self.warn();
            }
            held = self.holds();
        };
        self.files.follow(after).await;
    }

    /// Returns the configuration for new connections.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.files.in_use().config)
    }

    fn holds(&self) -> bool {
        self.files.in_use().certificate.holds_at(self.clock.now())
    }

    /// Logs the certificate in use.
    pub fn tell(&self) {
        let made = self.files.in_use();
        let not_after = made.certificate.validity.map(|(_, to)| rfc3339(to));
        tracing::info!(not_after, names = made.certificate.names.join(" "), "certificate loaded");
        if !self.holds() {
            self.warn();
        }
    }

    fn warn(&self) {
        let validity = self.files.in_use().certificate.validity;
        let (not_before, not_after) = validity.map(|(from, to)| (rfc3339(from), rfc3339(to))).unzip();
        tracing::warn!(not_before, not_after, "certificate expired or not yet valid; clients will reject it");
    }
}

impl Files for TlsFiles {
    type Made = Made;

    fn paths(&self) -> [(&'static str, Option<&Path>); 3] {
        [("cert", Some(&self.cert)), ("key", Some(&self.key)), ("client_ca", self.client_ca.as_deref())]
    }

    fn make(setting: &str, pems: [Option<Pem>; 3], clock: Arc<dyn Clock>) -> Result<Made, TlsFault> {
        let [Some(cert), Some(key), client_ca] = pems else {
            return Err(TlsFault::of_setting(setting, "needs both a cert and its key"));
        };
        // Never the process's default: the program that links this crate may have chosen another, or none.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (certified, certificate) = pair(&cert, &key, &provider)?;
        let builder = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(Time(clock)))
            .with_safe_default_protocol_versions()
            .map_err(|error| cert.fault(error.to_string()))?;
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        let mut config = match &client_ca {
            None => builder.with_no_client_auth().with_cert_resolver(resolver),
            Some(pem) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(authorities(Some(pem))?, provider)
                    // Probes have no certificate, and callers may authenticate with a key.
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| pem.fault(error.to_string()))?;
                let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(resolver);
                // A resumed session would revive a certificate that has since expired.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
                config
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Made { config: Arc::new(config), certificate })
    }
}

fn rfc3339(at: Timestamp) -> String {
    prost_types::Timestamp { seconds: at.seconds(), nanos: 0 }.to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::super::reload::POLL;
    use super::*;
    use crate::model::SystemClock;

    /// Lets the files be read several times, and returns the log of that time.
    async fn logged_while(tls: &Tls) -> String {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .with_writer(move || Writer(Arc::clone(&writer)))
            .finish();
        let _default = tracing::subscriber::set_default(subscriber);
        // The test clock advances whenever all tasks wait for it.
        let _ = tokio::time::timeout(POLL * 10, tls.follow()).await;
        let log = log.lock().unwrap();
        String::from_utf8(log.clone()).unwrap()
    }

    struct Writer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Writer {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_persistent_fault_is_logged_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let files = TlsFiles { cert: at("cert"), key: at("key"), client_ca: None };
        let whole = || {
            fs::write(&files.cert, cert.pem()).unwrap();
            fs::write(&files.key, signing_key.serialize_pem()).unwrap();
        };
        whole();
        let tls = Tls::load("server.tls", files.clone(), Arc::new(SystemClock)).unwrap();
        assert_eq!(logged_while(&tls).await, "");
        fs::remove_file(&files.key).unwrap();
        let log = logged_while(&tls).await;
        assert_eq!((log.lines().count(), log.matches("cannot be read").count()), (1, 1), "{log}");
        fs::write(&files.key, "").unwrap();
        let log = logged_while(&tls).await;
        assert_eq!((log.lines().count(), log.matches("holds no private key").count()), (1, 1), "{log}");
        whole();
        assert_eq!(logged_while(&tls).await, "");
    }
}
