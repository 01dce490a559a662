//! Names in a certificate (subjectAltName, RFC 5280 section 4.2.1.6) that can identify a caller: DNS names and SPIFFE
//! IDs. The TLS handshake verifies the certificate itself.

use std::fmt;
use std::str::FromStr;

const NO_NAME: &str =
    "must be a DNS name without a wildcard (web.internal), or a SPIFFE ID (spiffe://example.org/web)";
const NO_SPIFFE_ID: &str = "must be a SPIFFE ID with a path, spiffe://example.org/web: a trust domain of a-z 0-9 . _ -, \
     segments of A-Z a-z 0-9 . _ -, and no user, port, query or fragment";

/// A DNS name in lower case without a wildcard, or the SPIFFE ID of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct San(String);

impl San {
    /// Extracts the usable names from the dNSNames and URIs of a certificate; others are ignored.
    #[must_use]
    pub fn of_certificate<'a>(
        dns_names: impl Iterator<Item = &'a str>,
        mut uris: impl Iterator<Item = &'a str>,
    ) -> Vec<Self> {
        // A certificate with several URIs is not an X.509-SVID (X509-SVID section 5.2).
        let workload = match (uris.next(), uris.next()) {
            (Some(only), None) => spiffe_id(only),
            (Some(_) | None, _) => None,
        };
        dns_names.filter_map(dns_name).chain(workload).map(Self).collect()
    }
}

impl FromStr for San {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("://") {
            spiffe_id(text).map(Self).ok_or(NO_SPIFFE_ID)
        } else {
            dns_name(text).map(Self).ok_or(NO_NAME)
        }
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the name in lower case if it is a valid host name; an IPv4 address is not.
fn dns_name(text: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
    let last = text.rsplit('.').next()?;
    let sound = text.len() <= 253 && text.split('.').all(is_label) && !is_number(last);
    sound.then(|| text.to_ascii_lowercase())
}

/// Returns the text if it is a workload's SPIFFE ID (SPIFFE-ID section 2), compared byte for byte.
fn spiffe_id(text: &str) -> Option<String> {
    let (trust_domain, path) = text.strip_prefix("spiffe://")?.split_once('/')?;
    let of_domain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let of_path = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let is_segment = |segment: &str| {
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(of_path)
    };
    let sound = text.len() <= 2048
        && (1..=255).contains(&trust_domain.len())
        && trust_domain.bytes().all(of_domain)
        && path.split('/').all(is_segment);
    sound.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_name_or_a_spiffe_id() {
        for (text, read) in [
            ("web", "web"),
            ("Web.Internal", "web.internal"),
            ("a_b.xn--bcher-kva.example", "a_b.xn--bcher-kva.example"),
            ("1.2.3.4a", "1.2.3.4a"),
            ("spiffe://example.org/web", "spiffe://example.org/web"),
            ("spiffe://example.org/ns/Shop/sa/web-1_2.3", "spiffe://example.org/ns/Shop/sa/web-1_2.3"),
        ] {
            assert_eq!(text.parse::<San>().unwrap().to_string(), read);
        }
        let long = format!("{}.example", ["a".repeat(63).as_str(); 4].join("."));
        for text in
            ["", "*.example", "a..b", "a.", ".a", "-a", "a-", "a b", "ä", "1.2.3.4", "a:1", "a/b", &long]
        {
            assert_eq!(text.parse::<San>(), Err(NO_NAME), "{text}");
        }
        let long = format!("spiffe://a/{}", "b".repeat(2048));
        for text in [
            "https://example.org/web",
            "SPIFFE://example.org/web",
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe:///web",
            "spiffe://Example.org/web",
            "spiffe://me@example.org/web",
            "spiffe://example.org:1/web",
            "spiffe://example.org/web/",
            "spiffe://example.org//web",
            "spiffe://example.org/../web",
            "spiffe://example.org/./web",
            "spiffe://example.org/w%65b",
            "spiffe://example.org/web?a",
            "spiffe://example.org/web#a",
            " spiffe://example.org/web",
            &long,
        ] {
            assert_eq!(text.parse::<San>(), Err(NO_SPIFFE_ID), "{text}");
        }
    }

    #[test]
    fn the_names_of_a_certificate_are_read_for_each_kind() {
        let names = |dns: &[&'static str], uris: &[&'static str]| -> Vec<String> {
            let sans = San::of_certificate(dns.iter().copied(), uris.iter().copied());
            sans.iter().map(San::to_string).collect()
        };
        assert_eq!(names(&["Web.internal", "b"], &["spiffe://a/b"]), ["web.internal", "b", "spiffe://a/b"]);
        assert_eq!(names(&["*.internal", "spiffe://a/b", "10.0.0.1"], &["https://a/b"]), [""; 0]);
        assert_eq!(names(&["web"], &["spiffe://a/b", "spiffe://a/b"]), ["web"], "two URIs are no SVID");
        assert_eq!(names(&[], &["web.internal"]), [""; 0]);
    }
}
