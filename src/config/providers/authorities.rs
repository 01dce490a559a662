//! `ca`: the authorities that sign the certificate of a provider within one's own walls.

use crate::config::read::Setting;
use std::path::PathBuf;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The path of a PEM file of certificates that can be used.
pub(super) fn file(setting: Setting) -> Option<PathBuf> {
    let (cx, at) = (setting.cx, setting.path.clone());
    let path = setting.pem_file()?;
    let fault = |what: &str| {
        cx.fault(&at, format!("the file {} {what}", path.display()));
        None
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return fault(&format!("cannot be read: {}", error.kind())),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let Ok(certificate) = certificate else { return fault("is not whole PEM") };
        if roots.add(certificate).is_err() {
            return fault("has a certificate that can't be used as an authority's");
        }
    }
    if roots.is_empty() {
        return fault("holds no certificate; give PEM, which has \"-----BEGIN CERTIFICATE-----\"");
    }
    Some(path)
}
