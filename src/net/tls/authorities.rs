//! The authorities that verify the peer: Mozilla's list of public ones, or those in a file.

use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;

use super::pem::{Pem, TlsFault};

/// Returns the authorities in a file, or Mozilla's without one.
pub(super) fn authorities(file: Option<&Pem>) -> Result<Arc<RootCertStore>, TlsFault> {
    let Some(file) = file else {
        return Ok(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }));
    };
    let (first, rest) = file.certificates()?;
    let mut roots = RootCertStore::empty();
    for (index, certificate) in std::iter::once(first).chain(rest).enumerate() {
        roots.add(certificate).map_err(|error| {
            file.fault(format!("its certificate number {} is unusable: {error}", index + 1))
        })?;
    }
    Ok(Arc::new(roots))
}
