//! The address of a server: an http or https URL with only scheme, host and port.

use http::Uri;
use url::{Host, Url};

use super::address::{AddressKind, kind_of_host};

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The origin that its calls name.
    pub(super) origin: Uri,
    /// The name or the IP address.
    pub(super) host: String,
    pub(super) port: u16,
    encrypted: bool,
    loopback: bool,
}

impl Target {
    /// Parses a URL; returns `None` if it has too few or too many parts.
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
        let host = url.host()?;
        let loopback = kind_of_host(&host) == AddressKind::Loopback;
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(addr) => addr.to_string(),
            Host::Ipv6(addr) => addr.to_string(),
        };
        Some(Self {
            origin: url.origin().ascii_serialization().parse().ok()?,
            host,
            port: url.port_or_known_default()?,
            encrypted: url.scheme() == "https",
            loopback,
        })
    }

    /// Returns scheme, host and port, as calls name it.
    #[must_use]
    pub fn origin(&self) -> &Uri {
        &self.origin
    }

    /// Returns the name or the IP address; IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns true if the server uses TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Returns true if the traffic stays on this machine.
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
            let target = Target::parse(text).unwrap();
            assert_eq!(target.origin, origin.parse::<Uri>().unwrap(), "{text}");
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
            assert_eq!((target.is_encrypted(), target.is_loopback()), (encrypted, loopback), "{text}");
        }
    }

    #[test]
    fn incomplete_or_extended_targets_are_rejected() {
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
            assert_eq!(Target::parse(text), None, "{text}");
        }
    }
}
