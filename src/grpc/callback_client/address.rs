//! Where a callback service is: an http or https URL of nothing but scheme, host and port.

use std::net::IpAddr;

use http::Uri;
use url::{Host, Url};

/// The address of a callback service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As its calls name it.
    pub(super) origin: Uri,
    /// The name or the IP address.
    pub(super) host: String,
    pub(super) port: u16,
    encrypted: bool,
    loopback: bool,
}

impl Address {
    /// The address that a URL tells; none where it tells less, or more.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return None;
        }
        let (host, loopback) = match url.host()? {
            Host::Domain(name) => (name.to_owned(), name == "localhost"),
            Host::Ipv4(addr) => (addr.to_string(), IpAddr::V4(addr).is_loopback()),
            Host::Ipv6(addr) => (addr.to_string(), IpAddr::V6(addr).to_canonical().is_loopback()),
        };
        Some(Self {
            origin: url.origin().ascii_serialization().parse().ok()?,
            host,
            port: url.port_or_known_default()?,
            encrypted: url.scheme() == "https",
            loopback,
        })
    }

    /// Whether TLS is spoken there.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether what is said there stays on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_scheme_host_and_port() {
        for (text, origin, host, port, encrypted, loopback) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "127.0.0.1", 9000, false, true),
            ("http://127.8.9.1", "http://127.8.9.1", "127.8.9.1", 80, false, true),
            ("http://[::1]:9000/", "http://[::1]:9000", "::1", 9000, false, true),
            ("http://localhost:9000", "http://localhost:9000", "localhost", 9000, false, true),
            ("https://Rules.Example", "https://rules.example", "rules.example", 443, true, false),
            ("https://10.0.0.1:8443", "https://10.0.0.1:8443", "10.0.0.1", 8443, true, false),
            ("http://localhost.example", "http://localhost.example", "localhost.example", 80, false, false),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.origin, origin.parse::<Uri>().unwrap(), "{text}");
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
            assert_eq!((address.is_encrypted(), address.is_loopback()), (encrypted, loopback), "{text}");
        }
    }

    #[test]
    fn what_is_less_or_more_is_none() {
        for text in [
            "",
            "rules:9000",
            "localhost:9000",
            "grpc://rules:9000",
            "dns:///rules:9000",
            "unix:///run/rules.sock",
            "http://",
            "https://user@rules",
            "https://user:word@rules",
            "https://rules/v1",
            "https://rules?x",
            "https://rules#x",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
