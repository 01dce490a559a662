//! `issuer`: the `iss` of every token. Verifiers compare it byte for byte and derive the discovery address from it (RFC
//! 8414 §2, §3.3; `OpenID` Connect Discovery §4). It is therefore accepted only in the one spelling that no URL library
//! changes, and without a trailing slash.

use super::entry::{Absent, Entry, Parsed, Text};
use url::Url;

/// The issuer of a Gatepass without configuration.
pub(super) const DEFAULT: &str = "http://localhost:8080";

pub(super) static ISSUER: Entry<Text<String>> = Entry {
    path: "issuer",
    kind: Text { what: "http or https URL", pattern: Some("^https?://"), parse },
    absent: Absent::Default(DEFAULT),
    doc: "The `iss` of every token: an http or https URL without a slash at its end.",
};

fn parse(text: &str) -> Parsed<String> {
    match fault(text) {
        None => Ok(text.to_owned()),
        Some(message) => Err(message.into()),
    }
}

fn fault(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        return Some("must be an http or https URL; write \"https://auth.example.com\"".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must have no user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("must have no query and no fragment".to_owned());
    }
    let spelling = url.as_str().trim_end_matches('/');
    (text != spelling).then(|| format!("is compared byte for byte; write \"{spelling}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_url_in_its_one_spelling() {
        for good in
            [DEFAULT, "https://auth.example.com", "https://example.com:8443/auth/v1", "http://[::1]:8080"]
        {
            assert_eq!(fault(good), None, "{good}");
        }
        for (bad, told) in [
            ("auth.example.com", "must be an http or https URL"),
            ("ftp://example.com", "must be an http or https URL"),
            ("mailto:a@example.com", "must be an http or https URL"),
            ("https://u:p@example.com", "no user name or password"),
            ("https://example.com?x", "no query"),
            ("https://example.com#x", "no fragment"),
            ("https://example.com/", "write \"https://example.com\""),
            ("https://example.com/a/", "write \"https://example.com/a\""),
            ("https://Example.com", "write \"https://example.com\""),
            ("https://example.com:443", "write \"https://example.com\""),
            ("https://example.com/a/../b", "write \"https://example.com/b\""),
            ("https://bücher.example", "write \"https://xn--bcher-kva.example\""),
            (" https://example.com", "write \"https://example.com\""),
        ] {
            assert!(fault(bad).is_some_and(|message| message.contains(told)), "{bad}: {:?}", fault(bad));
        }
    }
}
