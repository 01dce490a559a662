//! The kind of a file of authorities.

use super::definition::{Kind, Shaped};
use super::shape::Shape;
use crate::config::reader::Setting;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The path of a PEM file with usable certificates.
pub(in crate::config) struct Authorities;

impl Shaped for Authorities {
    fn shape(&self) -> Shape {
        Shape::File
    }
}

impl Kind for Authorities {
    type Value = PathBuf;

    fn read(&self, setting: Setting) -> Option<PathBuf> {
        let (cx, at) = (setting.cx, setting.path.clone());
        let path = setting.pem_file()?;
        match fault(&path) {
            None => Some(path),
            Some(fault) => {
                cx.fault(&at, format!("the file {} {fault}", path.display()));
                None
            }
        }
    }
}

fn fault(path: &Path) -> Option<Cow<'static, str>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(format!("cannot be read: {}", error.kind()).into()),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let Ok(certificate) = certificate else { return Some("is not valid PEM".into()) };
        if roots.add(certificate).is_err() {
            return Some("has a certificate that cannot be used as an authority".into());
        }
    }
    roots
        .is_empty()
        .then(|| "holds no certificate; give PEM, which has \"-----BEGIN CERTIFICATE-----\"".into())
}
