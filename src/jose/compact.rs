//! A signed token in its compact form (RFC 7515 section 3.1): three parts of base64url, separated by dots.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The three parts, as they are written.
#[derive(Clone, Copy)]
pub struct Compact<'t> {
    /// The header.
    pub header: &'t str,
    /// The claims.
    pub payload: &'t str,
    /// The signature.
    pub signature: &'t str,
    /// The signed text: the first two parts, and the dot between them.
    pub message: &'t str,
}

impl<'t> Compact<'t> {
    /// Splits a token; returns `None` unless it has exactly three parts.
    #[must_use]
    pub fn split(token: &'t str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self { header, payload, signature, message: &token[..header.len() + 1 + payload.len()] })
    }

    /// Decodes the bytes of a part.
    #[must_use]
    pub fn decode(part: &str) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(part).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts() {
        let token = Compact::split("aa.b.c").unwrap();
        assert_eq!([token.header, token.payload, token.signature, token.message], ["aa", "b", "c", "aa.b"]);
        for bad in ["", "a", "a.b", "a.b.c.d", "a.b.c."] {
            assert!(Compact::split(bad).is_none(), "{bad}");
        }
    }
}
