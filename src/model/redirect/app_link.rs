//! Links into apps (`redirect_schemes`): `com.example.app:/path` and `com.example.app://host/path`.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::path::is_plain;

/// The maximum size of a scheme, in bytes.
const MAX_SCHEME: usize = 128;

/// The scheme of an app (RFC 8252 section 7.1): the reversed domain of its publisher, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectScheme(String);

impl RedirectScheme {
    /// Returns the scheme without a colon.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedirectScheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let is_scheme = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= MAX_SCHEME
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && name.split('.').all(|label| !label.is_empty());
        if !is_scheme || !name.contains('.') {
            return Err("must be the scheme of an app, with a dot; write com.example.app".to_owned());
        }
        if name != text {
            return Err(format!("must be a scheme in lower case and nothing more; write {name}"));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for RedirectScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a link into an app of these schemes, serialised, if it is one: a path, perhaps after a host, without user info
/// and port. `place` is the URL without query and fragment.
pub(super) fn app_link(schemes: &[RedirectScheme], url: &str, place: &str) -> Option<Url> {
    let (scheme, rest) = place.split_once(':')?;
    schemes.iter().find(|known| known.0.eq_ignore_ascii_case(scheme))?;
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/')?);
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if host.is_empty() || !host.bytes().all(is_host) || host.split('.').any(str::is_empty) {
                return None;
            }
            path
        }
        None => rest,
    };
    if !path.starts_with('/') || !is_plain(path) {
        return None;
    }
    Url::parse(url).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{BaseUrls, Disposition, resolve_redirect};
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "https://app.example.com";

    fn bases() -> BaseUrls {
        let schemes = ["com.example.app", "org.example.my-app+1"].map(|scheme| scheme.parse().unwrap());
        BaseUrls::parse(&[BASE.to_owned()]).unwrap().with_schemes(schemes.to_vec())
    }

    fn resolved(url: &str) -> (String, Disposition) {
        let bases = bases();
        let (url, disposition) = resolve_redirect(&bases, bases.default_base(), url);
        (url.into(), disposition)
    }

    #[test]
    fn a_scheme_has_a_dot_and_is_in_lower_case() {
        for good in ["com.example.app", "a.b", "a1+x-y.b"] {
            assert_eq!(good.parse::<RedirectScheme>().map(|scheme| scheme.to_string()), Ok(good.to_owned()));
        }
        let write = |scheme: &str| format!("must be a scheme in lower case and nothing more; write {scheme}");
        for (bad, told) in [
            ("com.Example.app", write("com.example.app")),
            ("com.example.app:", write("com.example.app")),
            ("com.example.app://callback", write("com.example.app")),
        ] {
            assert_eq!(bad.parse::<RedirectScheme>(), Err(told), "{bad}");
        }
        let long = format!("a.{}", "b".repeat(MAX_SCHEME));
        for bad in
            ["", "myapp", "https", "javascript", "1.a", ".a", "a.", "a..b", "a.b c", "a.é", "a/b.c", &long]
        {
            let told = bad.parse::<RedirectScheme>().unwrap_err();
            assert!(told.ends_with("write com.example.app"), "{bad}: {told}");
        }
    }

    #[test]
    fn a_path_of_a_listed_scheme_is_kept() {
        for (url, out) in [
            ("com.example.app:/callback", "com.example.app:/callback"),
            ("com.example.app:/", "com.example.app:/"),
            ("com.example.app://host/callback?a=b#c", "com.example.app://host/callback?a=b#c"),
            ("COM.example.APP:/x", "com.example.app:/x"),
            ("org.example.my-app+1://open/orders", "org.example.my-app+1://open/orders"),
            ("com.example.app:/x?next=//evil.com\\y", "com.example.app:/x?next=//evil.com%5Cy"),
            ("com.example.app:/a b", "com.example.app:/a%20b"),
        ] {
            assert_eq!(resolved(url), (out.to_owned(), Disposition::AllowedScheme), "{url}");
            assert_eq!(resolved(out), (out.to_owned(), Disposition::AllowedScheme), "{out}");
        }
    }

    #[test]
    fn every_other_form_falls_back() {
        for url in [
            "com.example.app:",
            "com.example.app:callback",
            "com.example.app:?x",
            "com.example.app://",
            "com.example.app://host",
            "com.example.app://host?x=/y",
            "com.example.app:///callback",
            "com.example.app:////evil.com",
            "com.example.app://user@host/x",
            "com.example.app://user:pw@host/x",
            "com.example.app://host:8080/x",
            "com.example.app://host:/x",
            "com.example.app://[::1]/x",
            "com.example.app://h%6fst/x",
            "com.example.app://hö.example/x",
            "com.example.app://host./x",
            "com.example.app://host//x",
            "com.example.app:/a//b",
            "com.example.app:/../x",
            "com.example.app:/%2e%2e/x",
            "com.example.app:/a%2fb",
            "com.example.app:/a\\b",
            "com.example.app:/a%0ab",
            "com.example.app:/a%7Fb",
            "com.example.app:/a\tb",
            " com.example.app:/x",
            "com.example.other:/x",
            "com.example.app.evil:/x",
            "xcom.example.app:/x",
            "/com.example.app:/%00",
        ] {
            assert_eq!(resolved(url), (BASE.to_owned(), Disposition::Fallback), "{url}");
        }
    }

    #[test]
    fn without_the_setting_no_scheme_is_allowed() {
        let bases = BaseUrls::parse(&[BASE.to_owned()]).unwrap();
        let decided = resolve_redirect(&bases, bases.default_base(), "com.example.app:/x");
        assert_eq!(decided.1, Disposition::Fallback);
        assert_eq!(
            bases.with_schemes(vec!["com.example.app".parse().unwrap()]).select("com.example.app:/"),
            None
        );
    }

    proptest! {
        #[test]
        fn an_allowed_link_has_the_scheme_and_stays(url in "com\\.example\\.app:[/a-z0-9:@.%?#\\\\]{0,24}") {
            let (out, disposition) = resolved(&url);
            match disposition {
                Disposition::AllowedScheme => {
                    prop_assert!(out.starts_with("com.example.app:/"));
                    prop_assert!(out.is_ascii() && !out.contains('\\'));
                    let parsed = Url::parse(&out).unwrap();
                    prop_assert!(parsed.username().is_empty() && parsed.password().is_none() && parsed.port().is_none());
                    prop_assert!(!parsed.path().contains("//"));
                    prop_assert_eq!(resolved(&out), (out.clone(), Disposition::AllowedScheme));
                }
                Disposition::Fallback => prop_assert_eq!(out.as_str(), BASE),
                Disposition::Relative | Disposition::SameOrigin | Disposition::AllowedOrigin => {
                    prop_assert!(false, "{url}");
                }
            }
        }
    }
}
