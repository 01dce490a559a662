//! One PEM file: its bytes, and what may be in it. Nothing of its content is in a fault.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// No bundle of authorities is larger.
const MOST_BYTES: u64 = 1 << 20;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFault {
    setting: &'static str,
    /// None where it is no one file's.
    path: Option<PathBuf>,
    message: String,
}

impl TlsFault {
    /// One of the setting as a whole.
    pub(super) fn of_setting(setting: &'static str, message: String) -> Self {
        Self { setting, path: None, message }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.setting)?;
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TlsFault {}

/// A file as it was read.
pub(super) struct Pem {
    setting: &'static str,
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl Pem {
    pub(super) fn read(setting: &'static str, path: &Path) -> Result<Self, TlsFault> {
        let path = path.to_owned();
        match read(&path) {
            Ok(bytes) => Ok(Self { setting, path, bytes }),
            Err(error) => {
                Err(TlsFault { setting, path: Some(path), message: format!("cannot be read: {error}") })
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> TlsFault {
        TlsFault { setting: self.setting, path: Some(self.path.clone()), message: message.into() }
    }

    /// The first certificate, and those after it.
    pub(super) fn certificates(
        &self,
    ) -> Result<(CertificateDer<'static>, Vec<CertificateDer<'static>>), TlsFault> {
        let all = CertificateDer::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>();
        let mut all = all.map_err(|_| self.fault("is not whole PEM"))?.into_iter();
        let first = all.next().ok_or_else(|| {
            self.fault("holds no certificate; give PEM, which has \"-----BEGIN CERTIFICATE-----\"")
        })?;
        Ok((first, all.collect()))
    }

    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|_| {
            self.fault("holds no private key; give it as PEM without a passphrase (PKCS#8, SEC1 or PKCS#1)")
        })
    }

    /// All certificates, as those that others are signed by.
    pub(super) fn authorities(&self) -> Result<Arc<RootCertStore>, TlsFault> {
        let (first, rest) = self.certificates()?;
        let mut roots = RootCertStore::empty();
        for (index, certificate) in std::iter::once(first).chain(rest).enumerate() {
            roots.add(certificate).map_err(|error| {
                self.fault(format!("its certificate number {} can't be used: {error}", index + 1))
            })?;
        }
        Ok(Arc::new(roots))
    }
}

/// What is wrong with these files: with each that can't be read, or else with what `load` finds in them.
pub(super) fn faults_of<T, const N: usize>(
    files: [(&'static str, Option<&PathBuf>); N],
    load: impl FnOnce() -> Result<T, TlsFault>,
) -> Vec<TlsFault> {
    let unreadable: Vec<_> =
        files.into_iter().filter_map(|(setting, path)| Pem::read(setting, path?).err()).collect();
    if unreadable.is_empty() { load().err().into_iter().collect() } else { unreadable }
}

/// The whole of a regular file: a pipe could be waited for without end.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it has more than a mebibyte"));
    }
    Ok(bytes)
}
