//! The proxy of outgoing connections, and the destinations that are reached without it.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::net::{AddressKind, kind_of_authority};

const WANTED: &str = "must be the http or https URL of a proxy, without a path; write \"http://HOST:PORT\"";

/// An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6).
#[derive(Clone)]
pub struct Proxy(Arc<Matcher>);

impl Proxy {
    /// Makes the proxy of this URL, which may contain a user name and a password. The destinations in `no_proxy` are
    /// reached without it: domains with all names below them, IP addresses, networks (`10.0.0.0/8`), or `*` for all.
    /// The error says what the URL must be.
    pub fn new<'a>(
        url: &SecretString,
        no_proxy: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, &'static str> {
        let url = url.expose_secret();
        // As with curl, a proxy without a scheme speaks plaintext.
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let parsed = Url::parse(&url).map_err(|_| WANTED)?;
        let bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
        // The matcher has a parser of its own, and a URL that it rejects would mean no proxy at all.
        let probe = Matcher::builder().all(url.as_str()).build();
        let accepted = probe.intercept(&Uri::from_static("https://idp.invalid/")).is_some();
        if !(bare && accepted && matches!(parsed.scheme(), "http" | "https")) {
            return Err(WANTED);
        }
        let no_proxy = no_proxy.into_iter().collect::<Vec<_>>().join(",");
        Ok(Self(Arc::new(Matcher::builder().all(url).no(no_proxy).build())))
    }

    /// Returns the proxy of this destination, unless it is reached directly. This machine always is.
    pub(super) fn of(&self, destination: &Uri) -> Option<Intercept> {
        let kind = kind_of_authority(destination.host()?);
        if kind == AddressKind::Loopback { None } else { self.0.intercept(destination) }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The matcher shows no credentials.
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, no_proxy: &[&str]) -> Result<Proxy, &'static str> {
        Proxy::new(&url.into(), no_proxy.iter().copied())
    }

    #[test]
    fn a_proxy_is_an_http_or_https_server() {
        for good in [
            "http://proxy.example:3128",
            "http://proxy.example:3128/",
            "https://proxy.example",
            "proxy.example:3128",
            "http://ben:secret@10.0.0.1:8888",
        ] {
            assert!(proxy(good, &[]).is_ok(), "{good}");
        }
        for bad in ["", "http://", "socks5://proxy.example", "http://proxy.example/path", "http://a b", "::"]
        {
            assert_eq!(proxy(bad, &[]).err(), Some(WANTED), "{bad}");
        }
    }

    #[test]
    fn this_machine_and_the_excepted_are_reached_directly() {
        let proxy = proxy("http://proxy.example:3128", &["corp.example", "10.0.0.0/8", "192.0.2.1"]).unwrap();
        let through = |url: &str| proxy.of(&url.parse().unwrap()).is_some();
        for url in [
            "https://idp.example/",
            "https://notcorp.example/",
            "https://192.0.2.2",
            "https://[2001:db8::1]/",
        ] {
            assert!(through(url), "{url}");
        }
        for url in [
            "https://corp.example/token",
            "https://login.corp.example/",
            "https://10.1.2.3/",
            "https://192.0.2.1/",
            "https://127.0.0.1:4000/",
            "https://[::1]/",
            "https://localhost./",
            "https://[::ffff:127.0.0.1]/",
        ] {
            assert!(!through(url), "{url}");
        }
    }

    #[test]
    fn credentials_are_sent_and_never_shown() {
        let proxy = proxy("http://ben:s%20cret@proxy.example:3128", &[]).unwrap();
        let of = proxy.of(&"https://idp.example/".parse().unwrap()).unwrap();
        assert_eq!(of.basic_auth().unwrap(), "Basic YmVuOnMgY3JldA==");
        let shown = format!("{proxy:?} {of:?} {}", of.uri());
        assert!(!shown.contains("ben") && !shown.contains("cret"), "{shown}");
    }
}
