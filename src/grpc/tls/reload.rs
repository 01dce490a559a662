//! The certificate in use, and its replacement while connections live: the files' content is read every few seconds (a
//! mounted Secret changes by a symbolic link, so dates and inodes tell nothing) and at once when asked. New connections
//! take the new one; what does not fit leaves the old one in use, and is tried again.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_rustls::rustls::ServerConfig;

use super::files::{Loaded, TlsFiles};
use super::pem::TlsFault;
use crate::model::{Clock, Timestamp};

/// The pause between two readings of the files.
const POLL: Duration = Duration::from_secs(2);

/// TLS with the files as they were when last found sound.
pub struct Tls {
    files: TlsFiles,
    clock: Arc<dyn Clock>,
    in_use: ArcSwap<Loaded>,
    asked: Notify,
}

impl Tls {
    /// Reads the files; a client's certificate must hold by this clock.
    pub fn load(files: TlsFiles, clock: Arc<dyn Clock>) -> Result<Self, TlsFault> {
        let in_use = files.read()?.load(Arc::clone(&clock))?;
        Ok(Self { files, clock, in_use: ArcSwap::from_pointee(in_use), asked: Notify::new() })
    }

    /// What is wrong with the files: with each that can't be read, or else with what is in them.
    #[must_use]
    pub fn check(files: &TlsFiles) -> Vec<TlsFault> {
        files.faults()
    }

    /// Has the files read at once, not only in a moment.
    pub fn reload(&self) {
        self.asked.notify_one();
    }

    /// Follows the files for ever.
    pub async fn follow(&self) {
        let mut told = None;
        let mut held = self.holds();
        loop {
            let asked = tokio::time::timeout(POLL, self.asked.notified()).await.is_ok();
            match self.changed().await {
                Ok(Some(loaded)) => {
                    self.in_use.store(Arc::new(loaded));
                    self.tell();
                    (told, held) = (None, self.holds());
                }
                Ok(None) => {
                    if asked || told.is_some() {
                        tracing::info!("the tls files are those in use");
                    }
                    told = None;
                }
                Err(fault) => {
                    if asked || told.as_ref() != Some(&fault) {
                        tracing::error!(%fault, "tls files not loaded, those before stay in use");
                    }
                    told = Some(fault);
                }
            }
            if held && !self.holds() {
                self.warn();
                held = false;
            }
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

    /// What a new connection takes.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.in_use.load().config)
    }

    fn holds(&self) -> bool {
        self.in_use.load().certificate.holds_at(self.clock.now())
    }

    /// Logs which certificate is in use.
    pub fn tell(&self) {
        let certificate = &self.in_use.load().certificate;
        let not_after = certificate.validity.map(|(_, to)| rfc3339(to));
        tracing::info!(not_after, names = certificate.names.join(" "), "certificate loaded");
        if !self.holds() {
            self.warn();
        }
    }

    fn warn(&self) {
        let validity = self.in_use.load().certificate.validity;
        let (not_before, not_after) = validity.map(|(from, to)| (rfc3339(from), rfc3339(to))).unzip();
        tracing::warn!(not_before, not_after, "the certificate is out of its time, clients will refuse it");
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

    use super::*;
    use crate::model::SystemClock;

    /// Lets the files be read some times over, and tells what was logged meanwhile.
    async fn logged_while(tls: &Tls) -> String {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .with_writer(move || Writer(Arc::clone(&writer)))
            .finish();
        let _default = tracing::subscriber::set_default(subscriber);
        // The clock stands, and is moved on whenever all wait for it.
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
    async fn a_fault_that_stays_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let files = TlsFiles { cert: at("cert"), key: at("key"), client_ca: None };
        let whole = || {
            fs::write(&files.cert, cert.pem()).unwrap();
            fs::write(&files.key, signing_key.serialize_pem()).unwrap();
        };
        whole();
        let tls = Tls::load(files.clone(), Arc::new(SystemClock)).unwrap();
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
