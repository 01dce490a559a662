//! A certificate and its private key, read from two PEM files.

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::certificate::Certificate;
use super::pem::{Pem, TlsFault};

/// Returns the certificate with its key, which must match.
pub(super) fn pair(
    cert: &Pem,
    key: &Pem,
    provider: &CryptoProvider,
) -> Result<(CertifiedKey, Certificate), TlsFault> {
    let (first, intermediates) = cert.certificates()?;
    let certificate = Certificate::read(&first)
        .map_err(|error| cert.fault(format!("its first certificate is unusable: {error}")))?;
    let private_key = provider
        .key_provider
        .load_private_key(key.private_key()?)
        .map_err(|_| key.fault("has a key that TLS does not support; give an EC, Ed25519 or RSA key"))?;
    let chain = std::iter::once(first).chain(intermediates).collect();
    let certified = CertifiedKey::new(chain, private_key);
    certified.keys_match().map_err(|_| {
        let cert = cert.path().display();
        key.fault(format!("is not the key of the first certificate in {cert}; give both of one pair"))
    })?;
    Ok((certified, certificate))
}
