//! The addresses that receive requests: https, this machine, or, if the operator allows plaintext, private networks.
//! Codes, tokens and secrets are sent there. This rule uses the written form of an address; connections check what names
//! resolve to (`net::Plaintext`).

use url::Url;

use crate::net::{AddressKind, Plaintext, kind_of_host};

/// Returns true if requests may go to this address.
pub(super) fn may_be_asked(url: &Url, plaintext: Plaintext) -> bool {
    let bare = url.username().is_empty() && url.password().is_none();
    bare && match (url.scheme(), kind(url)) {
        (_, AddressKind::LinkLocal | AddressKind::Unspecified) => false,
        ("https", _) | ("http", AddressKind::Loopback) => true,
        ("http", AddressKind::Private | AddressKind::Name) => plaintext == Plaintext::Private,
        _ => false,
    }
}

/// Returns true if this document may name this address for requests. It may name this machine or a private network only
/// if it is there itself.
pub(super) fn may_be_told(url: &Url, document: &Url, plaintext: Plaintext) -> bool {
    may_be_asked(url, plaintext) && (!is_inside(url) || is_inside(document))
}

/// Returns true if this document may name this page for browsers. Plaintext is only for this machine.
pub(super) fn may_be_opened(url: &Url, document: &Url) -> bool {
    may_be_told(url, document, Plaintext::Loopback)
}

/// Returns true if the address is on this machine or in a private network. A plaintext address always is, because no
/// other is connected to.
fn is_inside(url: &Url) -> bool {
    url.scheme() == "http" || matches!(kind(url), AddressKind::Loopback | AddressKind::Private)
}

fn kind(url: &Url) -> AddressKind {
    url.host().map_or(AddressKind::Unspecified, |host| kind_of_host(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn requests_go_only_to_https_or_this_machine() {
        for good in [
            "https://idp.example/token",
            "https://10.0.0.1",
            "http://127.0.0.1:8080/token",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://localhost:3000",
            "http://localhost.:3000",
            "http://idp.localhost",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(may_be_asked(&url(good), Plaintext::Loopback), "{good}");
        }
        for bad in [
            "http://idp.example/token",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://[::ffff:10.0.0.1]",
        ] {
            assert!(!may_be_asked(&url(bad), Plaintext::Loopback), "{bad}");
            assert!(may_be_asked(&url(bad), Plaintext::Private), "{bad}");
        }
        for bad in [
            "http://192.0.2.1",
            "http://0.0.0.0",
            "https://0.0.0.0",
            "http://[::]",
            "https://[::]",
            "https://169.254.169.254/latest",
            "http://169.254.169.254/latest",
            "https://[fe80::1]",
            "https://user@idp.example",
            "https://user:password@idp.example",
            "ftp://localhost/",
            "file:///etc/passwd",
            "data:application/json,{}",
        ] {
            assert!(!may_be_asked(&url(bad), Plaintext::Private), "{bad}");
        }
    }

    #[test]
    fn only_a_document_inside_names_addresses_inside() {
        let rows = [
            ("https://api.idp.example/token", "https://idp.example", true),
            ("https://api.idp.example/token", "http://127.0.0.1:4000", true),
            ("http://127.0.0.1:8080/token", "http://localhost:4000", true),
            ("https://10.0.0.1/token", "https://10.0.0.2", true),
            ("https://10.0.0.1/token", "http://localhost:4000", true),
            ("http://127.0.0.1:8080/token", "https://idp.example", false),
            ("https://localhost/token", "https://idp.example", false),
            ("https://localhost./token", "https://idp.example", false),
            ("https://api.localhost/token", "https://idp.example", false),
            ("https://[::1]/token", "https://idp.example", false),
            ("https://[::ffff:127.0.0.1]/token", "https://idp.example", false),
            ("https://0.0.0.0/token", "https://idp.example", false),
            ("https://[::]/token", "https://idp.example", false),
            ("https://10.0.0.1/token", "https://idp.example", false),
            ("https://[fd00::1]/token", "https://idp.example", false),
            ("https://169.254.169.254/token", "https://idp.example", false),
            ("https://169.254.169.254/token", "http://127.0.0.1:4000", false),
        ];
        for (told, document, wanted) in rows {
            let (told, document) = (url(told), url(document));
            assert_eq!(may_be_told(&told, &document, Plaintext::Loopback), wanted, "{told} of {document}");
            assert_eq!(may_be_opened(&told, &document), wanted, "{told} of {document}");
        }
    }

    #[test]
    fn plaintext_does_not_extend_to_pages() {
        let document = url("http://idp.auth.svc:8080/.well-known/openid-configuration");
        for (told, asked, opened) in [
            ("http://idp.auth.svc:8080/token", true, false),
            ("http://10.0.0.1/token", true, false),
            ("https://sso.corp.example/authorize", true, true),
            ("http://192.0.2.1/token", false, false),
        ] {
            let told = url(told);
            assert_eq!(may_be_told(&told, &document, Plaintext::Private), asked, "{told}");
            assert_eq!(may_be_opened(&told, &document), opened, "{told}");
        }
        let https = url("https://idp.example/.well-known/openid-configuration");
        assert!(!may_be_told(&url("http://10.0.0.1/token"), &https, Plaintext::Private));
    }
}
