//! Addresses of a provider, which receive secrets and codes, and redirect URIs, which receive codes. All of them are
//! https, or on loopback.

use crate::config::entry::Parsed;
use crate::net::{AddressKind, kind_of_host};
use crate::oauth::MAX_ISSUER_BYTES;
use url::Url;

/// The fault of an http address.
pub(super) const HTTPS: &str = "must be https, because secrets are sent there (http only on loopback, or with plaintext: true in a private network)";

/// The maximum size of an address, in bytes.
const MAX_BYTES: usize = 2048;

/// Parses an endpoint of a provider. The caller checks whether the provider may be reached in plaintext
/// ([`needs_plaintext`]).
pub(super) fn endpoint(text: &str) -> Parsed<Url> {
    parse(text).map_err(Into::into)
}

/// Parses a page that browsers open.
pub(super) fn page(text: &str) -> Parsed<Url> {
    let url = parse(text)?;
    if needs_plaintext(&url) {
        return Err("must be https, because browsers open it (http only on loopback)".into());
    }
    Ok(url)
}

/// Returns true if requests to this address leave the machine without TLS.
pub(super) fn needs_plaintext(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

/// Parses the issuer of a provider, which has no query (`OpenID` Connect Discovery section 3). It is compared byte for
/// byte, and accounts store it, so its spelling stays as written.
pub(super) fn issuer(text: &str) -> Parsed<String> {
    let url = parse(text)?;
    if text.len() > MAX_ISSUER_BYTES {
        return Err(format!("must have at most {MAX_ISSUER_BYTES} bytes").into());
    }
    if url.query().is_some() {
        return Err("must have no query; an issuer has none".into());
    }
    Ok(text.to_owned())
}

/// Parses a server address without a path.
pub(super) fn origin(text: &str) -> Parsed<Url> {
    let url = page(text)?;
    if url.path() != "/" || url.query().is_some() {
        return Err("must have no path and no query; write \"https://HOST\"".into());
    }
    Ok(url)
}

/// Parses a redirect URI of a browser or an app. Providers compare it byte for byte, so its spelling stays as written.
pub(super) fn redirect_uri(text: &str) -> Parsed<String> {
    redirect_uri_fault(text).map_or_else(|| Ok(text.to_owned()), |message| Err(message.into()))
}

/// Returns true if the URI opens a native app instead of a web server (RFC 8252 section 7.1).
pub(super) fn is_private(redirect_uri: &str) -> bool {
    Url::parse(redirect_uri).is_ok_and(|url| !matches!(url.scheme(), "http" | "https"))
}

fn parse(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let url = url.filter(|_| is_written_plainly(text)).ok_or("must be a URL; write \"https://HOST/PATH\"")?;
    match (url.scheme(), kind(&url)) {
        (_, AddressKind::LinkLocal | AddressKind::Unspecified) => {
            return Err("must not be a link-local or unspecified address");
        }
        ("http", AddressKind::Public) => return Err(HTTPS),
        _ => {}
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must have no user name or password");
    }
    if url.fragment().is_some() {
        return Err("must have no fragment");
    }
    Ok(url)
}

fn redirect_uri_fault(text: &str) -> Option<&'static str> {
    let Some(url) = Url::parse(text).ok().filter(|_| is_written_plainly(text)) else {
        return Some("must be an absolute URI; write \"https://HOST/PATH\"");
    };
    if url.fragment().is_some() {
        return Some("must have no fragment (RFC 6749 section 3.1.2)");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must have no user name or password");
    }
    if text.contains('*') {
        return Some("must be complete; providers compare it byte for byte");
    }
    match url.scheme() {
        "https" => None,
        "http" if is_loopback(&url) => None,
        "http" => Some("must be https, because it receives the code (http only on loopback)"),
        scheme if scheme.contains('.') => None,
        _ => Some(
            "must be https, or of an app's own scheme, which is a domain name of yours: \"com.example.app:/callback\" (RFC \
             8252 section 7.1)",
        ),
    }
}

/// Returns true if the address has no characters that URL libraries drop or encode.
fn is_written_plainly(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

fn is_loopback(url: &Url) -> bool {
    kind(url) == AddressKind::Loopback
}

fn kind(url: &Url) -> AddressKind {
    url.host().map_or(AddressKind::Unspecified, |host| kind_of_host(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_loopback() {
        for good in [
            "https://idp.example/authorize",
            "https://idp.example:8443/a?b=c",
            "http://localhost:4000/token",
            "http://127.0.0.1/",
            "http://[::1]:1",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, told) in [
            ("idp.example", "must be a URL"),
            ("/authorize", "must be a URL"),
            ("ftp://idp.example", "must be a URL"),
            ("https://", "must be a URL"),
            (" https://idp.example", "must be a URL"),
            ("https:\\\\idp.example", "must be a URL"),
            ("https://bücher.example", "must be a URL"),
            ("http://192.0.2.1", "must be https"),
            ("http://[2001:db8::1]", "must be https"),
            ("http://169.254.169.254", "link-local"),
            ("https://169.254.169.254", "link-local"),
            ("https://[fe80::1]", "link-local"),
            ("http://0.0.0.0:4000", "unspecified"),
            ("https://[::]", "unspecified"),
            ("https://u:p@idp.example", "no user name"),
            ("https://idp.example/#x", "no fragment"),
        ] {
            assert!(parse(bad).is_err_and(|message| message.contains(told)), "{bad}: {:?}", parse(bad));
        }
    }

    #[test]
    fn plaintext_beyond_loopback_is_for_private_addresses_and_never_for_pages() {
        for private in
            ["http://idp.example", "http://localhost.example", "http://10.0.0.1", "http://[fd00::1]"]
        {
            assert!(needs_plaintext(&endpoint(private).unwrap()), "{private}");
            assert!(page(private).is_err_and(|message| message.contains("browsers open it")), "{private}");
        }
        for other in ["http://localhost:4000", "http://[::1]", "https://10.0.0.1", "https://idp.example"] {
            assert!(!needs_plaintext(&endpoint(other).unwrap()) && page(other).is_ok(), "{other}");
        }
    }

    #[test]
    fn a_redirect_uri_is_absolute_and_safe_to_send_a_code_to() {
        for good in [
            "https://app.example.com/auth/callback/google",
            "https://app.example.com/cb?x=1",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:3000/cb",
            "com.example.app:/cb",
            "com.example.app://cb",
        ] {
            assert_eq!(redirect_uri_fault(good), None, "{good}");
        }
        for (bad, told) in [
            ("/auth/callback", "an absolute URI"),
            ("app.example.com/cb", "an absolute URI"),
            ("https://app.example.com/a b", "an absolute URI"),
            ("https://app.example.com/cb#x", "no fragment"),
            ("https://app.example.com/cb#", "no fragment"),
            ("com.example.app:/cb#x", "no fragment"),
            ("https://u@app.example.com/cb", "no user name"),
            ("https://*.example.com/cb", "byte for byte"),
            ("http://app.example.com/cb", "must be https"),
            ("myapp:/cb", "an app's own scheme"),
            ("javascript:alert(1)", "an app's own scheme"),
            ("data:text/html,x", "an app's own scheme"),
            ("file:///etc/passwd", "an app's own scheme"),
        ] {
            let found = redirect_uri_fault(bad);
            assert!(found.is_some_and(|message| message.contains(told)), "{bad}: {found:?}");
        }
        assert!(is_private("com.example.app:/cb") && !is_private("https://a.example/cb"));
    }
}
