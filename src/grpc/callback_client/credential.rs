//! The credential for a callback service, besides a client certificate: the value of `authorization`.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// The header value `Bearer …`: sensitive, so that it is never shown, and never indexed by HPACK.
#[derive(Debug, Clone)]
pub struct Credential(HeaderValue);

impl Credential {
    /// Makes the credential of a bearer string; returns `None` if it is not visible ASCII.
    #[must_use]
    pub fn bearer(secret: &SecretString) -> Option<Self> {
        let text = secret.expose_secret();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// Returns the value to send; a copy of it is sensitive, too.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_visible_ascii_and_is_not_shown() {
        let credential = Credential::bearer(&"s3cret".into()).unwrap();
        assert_eq!(credential.header(), "Bearer s3cret");
        assert!(credential.header().is_sensitive());
        assert!(!format!("{credential:?}").contains("s3cret"));
        for bad in ["two words", "a\nb", "é"] {
            assert!(Credential::bearer(&bad.into()).is_none(), "{bad:?}");
        }
    }
}
