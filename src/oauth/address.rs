//! Which addresses we ask: https, or this machine. Codes, tokens and secrets go there.

use url::{Host, Url};

/// Whether it is one.
pub(super) fn may_be_asked(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none();
    bare && match url.scheme() {
        "https" => url.host().is_some(),
        "http" => url.host().is_some_and(|host| is_loopback(&host)),
        _ => false,
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for good in [
            "https://idp.example/token",
            "https://10.0.0.1",
            "http://127.0.0.1:8080/token",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://localhost:3000",
        ] {
            assert!(may_be_asked(&Url::parse(good).unwrap()), "{good}");
        }
        for bad in [
            "http://idp.example/token",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::ffff:127.0.0.1]",
            "https://user@idp.example",
            "https://user:password@idp.example",
            "ftp://localhost/",
            "file:///etc/passwd",
            "data:application/json,{}",
        ] {
            assert!(!may_be_asked(&Url::parse(bad).unwrap()), "{bad}");
        }
    }
}
