//! The allowed redirect origins (`base_urls`), and the base URL that a request selects.
//!
//! An origin is scheme, host and port as the WHATWG URL standard serialises them. A host is accepted only in the
//! spelling that a parser keeps. Unicode, percent-encoding and `127.1` are rejected, because another parser may read
//! them differently. The module `resolve` decides each redirect.

use std::fmt;

use url::{Position, Url};

use super::app_link::RedirectScheme;

/// The end of every `base_urls` error message.
const WRITE: &str = "write an origin such as https://app.example.com";

/// The longest host name in DNS.
const MAX_HOST: usize = 253;

/// The configured `base_urls`: the first is the default, the others are origins or `https://*.example.com`. Besides them,
/// the schemes of apps that may be redirected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrls {
    default: Base,
    others: Vec<String>,
    /// The text after the `*`: `.example.com`, `.example.com:8443`.
    suffixes: Vec<String>,
    schemes: Vec<RedirectScheme>,
}

/// An allowed origin, without a trailing slash; only [`BaseUrls`] creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(String);

impl Base {
    /// Returns the origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error in one entry of `base_urls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrlFault {
    /// The index of the entry, from 0.
    pub index: usize,
    /// The error and its correction.
    pub message: String,
}

impl fmt::Display for BaseUrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.index, self.message)
    }
}

impl std::error::Error for BaseUrlFault {}

impl BaseUrls {
    /// Parses the setting; returns the faults of all entries together.
    pub fn parse(entries: &[String]) -> Result<Self, Vec<BaseUrlFault>> {
        let mut origins = Vec::new();
        let mut suffixes = Vec::new();
        let mut faults = Vec::new();
        for (index, text) in entries.iter().enumerate() {
            let read = if !text.contains('*') {
                exact(text).map(|origin| origins.push(origin))
            } else if index == 0 {
                Err(format!("the first is the default and cannot be a pattern; {WRITE}"))
            } else {
                pattern(text).map(|suffix| suffixes.push(suffix))
            };
            faults.extend(read.err().map(|message| BaseUrlFault { index, message }));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if origins.is_empty() {
            return Err(vec![BaseUrlFault { index: 0, message: format!("must not be empty; {WRITE}") }]);
        }
        let others = origins.split_off(1);
        Ok(Self { default: Base(origins.concat()), others, suffixes, schemes: Vec::new() })
    }

    /// Also allows links into the apps of these schemes. They are never a base.
    #[must_use]
    pub fn with_schemes(self, schemes: Vec<RedirectScheme>) -> Self {
        Self { schemes, ..self }
    }

    /// Returns the schemes of apps that may be redirected to.
    pub(super) fn schemes(&self) -> &[RedirectScheme] {
        &self.schemes
    }

    /// Returns the default base.
    #[must_use]
    pub fn default_base(&self) -> &Base {
        &self.default
    }

    /// Returns the base that a request names: the default for an empty text, `None` for an origin that is not allowed.
    #[must_use]
    pub fn select(&self, base_url: &str) -> Option<Base> {
        if base_url.is_empty() {
            return Some(self.default.clone());
        }
        origin(base_url).filter(|origin| self.allows(origin)).map(Base)
    }

    /// Tells whether this serialised origin is allowed.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        origin == self.default.0
            || self.others.iter().any(|other| origin == other)
            || self.suffixes.iter().any(|suffix| is_one_label_before(suffix, origin))
    }
}

/// Returns the canonical text of an origin; one trailing slash is tolerated.
fn origin(text: &str) -> Option<String> {
    let authority = after_scheme(text.strip_suffix('/').unwrap_or(text))?;
    let url = Url::parse(text).ok().filter(|url| is_spelled_out(authority, url))?;
    let host = url.host_str()?;
    if host.len() > MAX_HOST || host.split('.').any(str::is_empty) {
        return None;
    }
    Some(serialised(&url).to_owned())
}

/// Returns scheme, host and port of a URL without user info.
pub(super) fn serialised(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// Returns the text after a literal `http://` or `https://`, in any letter case.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    is_web.then_some(rest)
}

/// Tells whether an authority has no user info and spells its host as the parser reads it, ignoring case.
pub(super) fn is_spelled_out(authority: &str, url: &Url) -> bool {
    let plain = authority.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    plain && url.host_str().is_some_and(|read| read.eq_ignore_ascii_case(host))
}

fn is_one_label_before(suffix: &str, origin: &str) -> bool {
    origin.strip_prefix("https://").and_then(|host| host.strip_suffix(suffix)).is_some_and(|label| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

fn exact(text: &str) -> Result<String, String> {
    origin(text).ok_or_else(|| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            format!("must be only an origin; write {}", url.origin().ascii_serialization())
        }
        _ => format!("is not an origin; {WRITE}"),
    })
}

fn pattern(text: &str) -> Result<String, String> {
    text.strip_prefix("https://*.")
        .and_then(|rest| origin(&format!("https://x.{rest}")))
        .and_then(|origin| origin.strip_prefix("https://x").map(str::to_owned))
        .filter(|suffix| suffix.matches('.').count() >= 2)
        .ok_or_else(|| {
            "must have one * and two or more labels after it; write https://*.example.com".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(entries: &[&str]) -> Result<BaseUrls, Vec<BaseUrlFault>> {
        BaseUrls::parse(&entries.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    fn bases() -> BaseUrls {
        parse(&[
            "https://app.example.com",
            "http://localhost:3000",
            "https://*.example.org",
            "https://*.dev.example.net:8443",
        ])
        .unwrap()
    }

    #[test]
    fn an_origin_is_kept_as_the_standard_serialises_it() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com/", "https://app.example.com"),
            ("HTTPS://APP.Example.COM:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:80/", "http://127.0.0.1"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://my_app.example.com", "https://my_app.example.com"),
        ] {
            assert_eq!(parse(&[text]).map(|bases| bases.default_base().to_string()), Ok(origin.to_owned()));
        }
    }

    #[test]
    fn anything_but_an_origin_is_a_fault() {
        for text in [
            "",
            "/",
            "app.example.com",
            "https://",
            "https:///",
            "https:/app.example.com",
            "https:app.example.com",
            "ftp://app.example.com",
            "https://app.example.com/x",
            "https://app.example.com//",
            "https://app.example.com?",
            "https://app.example.com#f",
            "https://user@app.example.com",
            "https://@app.example.com",
            "https://app.example.com\\",
            " https://app.example.com",
            "https://app.example.com ",
            "https://app.exa\tmple.com",
            "https://app.example.com.",
            "https://.example.com",
            "https://app..example.com",
            "https://app%2eexample.com",
            "https://bücher.example",
            "http://127.1",
            "http://0x7f000001",
            "http://[0:0:0:0:0:0:0:1]",
            "https://app.example.com:99999",
            "https://a,b.example.com",
            &format!("https://{}example.com", "a.".repeat(130)),
        ] {
            let faults = parse(&[text]).unwrap_err();
            assert_eq!(faults.len(), 1, "{text}");
            assert!(faults[0].message.contains("write "), "{text}: {}", faults[0]);
        }
    }

    #[test]
    fn a_fault_says_what_to_write() {
        let faults = parse(&["https://app.example.com/path?x", "https://bücher.example", "https://*.com"]);
        let said: Vec<_> = faults.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "[0] must be only an origin; write https://app.example.com",
                "[1] must be only an origin; write https://xn--bcher-kva.example",
                "[2] must have one * and two or more labels after it; write https://*.example.com",
            ]
        );
    }

    #[test]
    fn an_empty_list_and_a_pattern_at_its_head_are_faults() {
        assert_eq!(parse(&[]).unwrap_err()[0].index, 0);
        let faults = parse(&["https://*.example.com", "https://app.example.com"]).unwrap_err();
        assert_eq!((faults.len(), faults[0].index), (1, 0));
    }

    #[test]
    fn a_pattern_has_one_star_and_two_labels_after_it_and_is_https() {
        for good in ["https://*.example.com", "https://*.example.com/", "https://*.a.example.com:8443"] {
            assert!(parse(&["https://a.example", good]).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "https://*",
            "https://*.",
            "https://*.com",
            "https://*.com.",
            "https://*..com",
            "https://*.*.example.com",
            "https://a.*.example.com",
            "https://*a.example.com",
            "https://a*.example.com",
            "http://*.example.com",
            "https://*.example.com/x",
            "https://*.example.com:*",
            "https://*.0.0.1",
            "https://u@*.example.com",
        ] {
            assert_eq!(parse(&["https://a.example", bad]).unwrap_err()[0].index, 1, "{bad}");
        }
    }

    #[test]
    fn a_star_stands_for_exactly_one_label() {
        let bases = bases();
        for good in
            ["https://a.example.org", "https://xn--bcher-kva.example.org", "https://a.dev.example.net:8443"]
        {
            assert!(bases.allows(good), "{good}");
        }
        for bad in [
            "https://example.org",
            "https://.example.org",
            "https://a.b.example.org",
            "https://a.example.org.",
            "https://aexample.org",
            "https://a.example.org:8443",
            "http://a.example.org",
            "https://a.dev.example.net",
            "https://evil.com/.example.org",
            "https://evil.com@a.example.org",
            "https://a.example.org.evil.com",
            "null",
            "",
        ] {
            assert!(!bases.allows(bad), "{bad}");
        }
    }

    #[test]
    fn a_named_base_is_compared_as_an_origin() {
        let bases = bases();
        for (named, base) in [
            ("", "https://app.example.com"),
            ("https://APP.example.com:443/", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://Tenant.example.org", "https://tenant.example.org"),
        ] {
            assert_eq!(bases.select(named).unwrap().as_str(), base, "{named}");
        }
        for named in [
            " ",
            "/",
            "https://evil.com",
            "https://app.example.com/path",
            "https://app.example.com:8443",
            "http://app.example.com",
            "https://*.example.org",
            "https://u@app.example.com",
        ] {
            assert_eq!(bases.select(named), None, "{named}");
        }
    }
}
