//! One PEM file: its bytes, and its allowed content. Faults contain nothing of it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// The maximum size of a file in bytes; no bundle of authorities is larger.
const MOST_BYTES: u64 = 1 << 20;

/// The fault of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFault {
    setting: String,
    /// The file, if the fault concerns one.
    path: Option<PathBuf>,
    message: String,
}

impl TlsFault {
    /// Makes a fault of the setting as a whole.
    pub(super) fn of_setting(setting: &str, message: impl fmt::Display) -> Self {
        Self { setting: setting.to_owned(), path: None, message: message.to_string() }
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
    setting: String,
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl Pem {
    /// Reads the file that this setting names.
    pub(super) fn read(setting: String, path: &Path) -> Result<Self, TlsFault> {
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
        TlsFault { setting: self.setting.clone(), path: Some(self.path.clone()), message: message.into() }
    }

    /// Returns the first certificate, and those after it.
    pub(super) fn certificates(
        &self,
    ) -> Result<(CertificateDer<'static>, Vec<CertificateDer<'static>>), TlsFault> {
        let all = CertificateDer::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>();
        let mut all = all.map_err(|_| self.fault("is not valid PEM"))?.into_iter();
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
}

/// Reads the whole of a regular file; reading a pipe could block indefinitely.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}
