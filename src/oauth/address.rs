//! The addresses that receive requests: https, or this machine. Codes, tokens and secrets are sent there.

use url::Url;

use crate::net::{AddressKind, kind_of_host};

/// Returns true if requests may go to this address.
pub(super) fn may_be_asked(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none();
    bare && match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_here(url),
        _ => false,
    }
}

/// Returns true if an issuer may name this address: it may lead to this machine only if the issuer is on it, too.
pub(super) fn may_be_told(url: &Url, issuer: &str) -> bool {
    may_be_asked(url) && (!is_here(url) || Url::parse(issuer).is_ok_and(|issuer| is_here(&issuer)))
}

fn is_here(url: &Url) -> bool {
    url.host().is_some_and(|host| kind_of_host(&host) == AddressKind::Loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(may_be_asked(&Url::parse(good).unwrap()), "{good}");
        }
        for bad in [
            "http://idp.example/token",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:10.0.0.1]",
            "https://user@idp.example",
            "https://user:password@idp.example",
            "ftp://localhost/",
            "file:///etc/passwd",
            "data:application/json,{}",
        ] {
            assert!(!may_be_asked(&Url::parse(bad).unwrap()), "{bad}");
        }
    }

    #[test]
    fn only_a_local_issuer_may_name_local_endpoints() {
        let rows = [
            ("https://api.idp.example/token", "https://idp.example", true),
            ("https://api.idp.example/token", "http://127.0.0.1:4000", true),
            ("http://127.0.0.1:8080/token", "http://localhost:4000", true),
            ("http://127.0.0.1:8080/token", "https://idp.example", false),
            ("https://localhost/token", "https://idp.example", false),
            ("https://[::1]/token", "https://idp.example", false),
            ("https://[::ffff:127.0.0.1]/token", "https://idp.example", false),
            ("https://localhost./token", "https://idp.example", false),
            ("https://api.localhost/token", "https://idp.example", false),
            ("http://127.0.0.1/token", "", false),
        ];
        for (told, issuer, wanted) in rows {
            assert_eq!(may_be_told(&Url::parse(told).unwrap(), issuer), wanted, "{told} of {issuer}");
        }
    }
}
