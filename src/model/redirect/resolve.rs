//! The one function that decides every redirect.
//!
//! It is Auth.js' `redirect` callback (`callback-url`) as a total function. The result is always an absolute URL,
//! serialised from one WHATWG URL parse, and on an allowed origin. If two URL parsers could read the input differently,
//! the result is the base. So a client in any language goes to the URL that was checked here.
//!
//! The rule is written by hand around the `url` crate: it is the product's own, and no library has it.

use std::fmt;

use url::Url;

use super::app_link::app_link;
use super::base_urls::{Base, BaseUrls, after_scheme, is_spelled_out, serialised};
use super::path::is_plain;

/// The longest redirect URL, as input and as result.
const MAX_BYTES: usize = 2_048;

/// An absolute URL on an allowed origin. Only this module creates it, so the type proves that the URL was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUrl(String);

impl RedirectUrl {
    /// Returns the URL as text: ASCII, without user info, backslashes or control characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RedirectUrl> for String {
    fn from(url: RedirectUrl) -> Self {
        url.0
    }
}

/// The kind of decision on a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// A path, appended to the base.
    Relative,
    /// An absolute URL on the base.
    SameOrigin,
    /// An absolute URL on another allowed origin.
    AllowedOrigin,
    /// A link into an app, by one of the allowed schemes.
    AllowedScheme,
    /// Any other input; the result is the base.
    Fallback,
}

/// Decides the redirect for `url`, relative to `base`.
#[must_use]
pub fn resolve_redirect(bases: &BaseUrls, base: &Base, url: &str) -> (RedirectUrl, Disposition) {
    accept(bases, base, url).unwrap_or_else(|| (RedirectUrl(base.as_str().to_owned()), Disposition::Fallback))
}

fn accept(bases: &BaseUrls, base: &Base, url: &str) -> Option<(RedirectUrl, Disposition)> {
    if url.len() > MAX_BYTES || url.chars().any(char::is_control) || url.trim().len() != url.len() {
        return None;
    }
    let place = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    if let Some(link) = app_link(bases.schemes(), url, place) {
        return bounded(link.as_str(), Disposition::AllowedScheme);
    }
    let is_relative = place.starts_with('/');
    let (authority, path) = if is_relative {
        ("", place)
    } else {
        let rest = after_scheme(place)?;
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    };
    if !is_plain(path) {
        return None;
    }
    let parsed = if is_relative {
        // Concatenated as text, because the URL standard resolves `//host` to another origin.
        Url::parse(&[base.as_str(), url].concat()).ok()?
    } else {
        Url::parse(url).ok().filter(|parsed| is_spelled_out(authority, parsed))?
    };
    let origin = serialised(&parsed);
    let disposition = match (is_relative, origin == base.as_str()) {
        (true, true) => Disposition::Relative,
        (false, true) => Disposition::SameOrigin,
        (false, false) if bases.allows(origin) => Disposition::AllowedOrigin,
        _ => return None,
    };
    // A bare origin stays without a slash, so that a fallback resolves to itself.
    let is_bare = path.is_empty() && place.len() == url.len();
    bounded(if is_bare { origin } else { parsed.as_str() }, disposition)
}

/// Makes the redirect to a URL that was checked, if it is short enough.
fn bounded(url: &str, disposition: Disposition) -> Option<(RedirectUrl, Disposition)> {
    // The standard keeps backslashes in query and fragment, but other parsers treat them as slashes.
    let text = url.replace('\\', "%5C");
    (text.len() <= MAX_BYTES).then_some((RedirectUrl(text), disposition))
}

/// The `error` parameter that the application receives for a denied sign-in, with the values of Auth.js.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedError {
    /// The sign-in was denied.
    AccessDenied,
    /// The e-mail address belongs to another user, which this account is not linked to.
    OAuthAccountNotLinked,
    /// The provider returned an error.
    OAuthCallbackError,
}

impl DeniedError {
    /// Returns the value of the parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::OAuthAccountNotLinked => "OAuthAccountNotLinked",
            Self::OAuthCallbackError => "OAuthCallbackError",
        }
    }
}

/// The page for denied sign-ins (`denied_url`, `banned_url`): a path on the default base, or a URL on an allowed
/// origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedUrl {
    /// The part before the value of `error`.
    before: String,
    /// The fragment with its `#`, or an empty string.
    fragment: String,
}

/// The `denied_url` is not an allowed redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeniedUrlFault;

impl fmt::Display for DeniedUrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a path such as /auth/error, or an absolute URL on one of base_urls")
    }
}

impl std::error::Error for DeniedUrlFault {}

impl DeniedUrl {
    /// Parses the setting by the rule of [`resolve_redirect`]; a URL that would fall back is rejected.
    pub fn parse(bases: &BaseUrls, text: &str) -> Result<Self, DeniedUrlFault> {
        let (url, disposition) = resolve_redirect(bases, bases.default_base(), text);
        let url = url.as_str();
        let (before, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let mut before = before.to_owned();
        if bases.allows(&before) {
            before.push('/');
        }
        if !before.contains('?') {
            before.push('?');
        } else if !before.ends_with(['?', '&']) {
            before.push('&');
        }
        before.push_str("error=");
        let longest = before.len() + DeniedError::OAuthAccountNotLinked.as_str().len() + fragment.len();
        if disposition == Disposition::Fallback || longest > MAX_BYTES {
            return Err(DeniedUrlFault);
        }
        Ok(Self { before, fragment: fragment.to_owned() })
    }

    /// Returns the URL with this error as its `error` parameter.
    #[must_use]
    pub fn with_error(&self, error: DeniedError) -> RedirectUrl {
        RedirectUrl([&self.before, error.as_str(), &self.fragment].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Position;

    const BASE: &str = "https://app.example.com";

    fn bases() -> BaseUrls {
        let entries = [BASE, "http://localhost:3000", "https://*.example.org", "http://127.0.0.1:3000"];
        BaseUrls::parse(&entries.map(str::to_owned)).unwrap()
    }

    fn resolved(url: &str) -> (String, Disposition) {
        let bases = bases();
        let (url, disposition) = resolve_redirect(&bases, bases.default_base(), url);
        (url.into(), disposition)
    }

    fn assert_all_fall_back(urls: &[&str]) {
        for url in urls {
            assert_eq!(resolved(url), (BASE.to_owned(), Disposition::Fallback), "{url:?}");
        }
    }

    #[test]
    fn a_path_is_put_on_the_base() {
        for (url, path) in [
            ("/", "/"),
            ("/dash", "/dash"),
            ("/dash/", "/dash/"),
            ("/a b", "/a%20b"),
            ("/é", "/%C3%A9"),
            ("/@evil.com", "/@evil.com"),
            ("/:8443/x", "/:8443/x"),
            ("/https:evil.com", "/https:evil.com"),
            ("/.well-known/..x/...", "/.well-known/..x/..."),
            ("/100%", "/100%"),
            ("/a%252fb", "/a%252fb"),
            ("/／evil.com", "/%EF%BC%8Fevil.com"),
            ("/?", "/?"),
            ("/#", "/#"),
        ] {
            assert_eq!(resolved(url), (format!("{BASE}{path}"), Disposition::Relative), "{url}");
        }
    }

    #[test]
    fn query_and_fragment_are_free() {
        for (url, free) in [
            ("/x?next=//evil.com/../%2f%5c", "/x?next=//evil.com/../%2f%5c"),
            ("/x?next=https://u:p@evil.com/", "/x?next=https://u:p@evil.com/"),
            ("/x?a=\\b#\\c", "/x?a=%5Cb#%5Cc"),
            ("/x?q=é#ü", "/x?q=%C3%A9#%C3%BC"),
            ("/x?q=%0d%0a#/../", "/x?q=%0d%0a#/../"),
        ] {
            assert_eq!(resolved(url), (format!("{BASE}{free}"), Disposition::Relative), "{url}");
            assert_eq!(
                resolved(&format!("{BASE}{url}")),
                (format!("{BASE}{free}"), Disposition::SameOrigin),
                "{url}"
            );
        }
        assert_all_fall_back(&["/x?a\tb", "/x?a\rb", "/x#a\nb", "/x?\0", "/x?\u{7f}", "/x#\u{85}"]);
    }

    #[test]
    fn an_absolute_url_on_the_base_is_normalised() {
        for (url, out) in [
            ("https://app.example.com", ""),
            ("https://app.example.com/", "/"),
            ("https://app.example.com?x", "/?x"),
            ("https://app.example.com#x", "/#x"),
            ("https://app.example.com/x", "/x"),
            ("https://app.example.com:443/x", "/x"),
            ("https://app.example.com:443", ""),
            ("https://APP.Example.COM/x", "/x"),
            ("HTTPS://app.example.com/X", "/X"),
            ("https://app.example.com/@evil.com/", "/@evil.com/"),
        ] {
            assert_eq!(resolved(url), (format!("{BASE}{out}"), Disposition::SameOrigin), "{url}");
        }
    }

    #[test]
    fn another_allowed_origin_is_named_as_such() {
        for (url, out) in [
            ("http://localhost:3000/x", "http://localhost:3000/x"),
            ("http://LOCALHOST:3000", "http://localhost:3000"),
            ("https://a.example.org/x?y", "https://a.example.org/x?y"),
            ("http://127.0.0.1:3000/", "http://127.0.0.1:3000/"),
        ] {
            assert_eq!(resolved(url), (out.to_owned(), Disposition::AllowedOrigin), "{url}");
        }
        assert_all_fall_back(&[
            "http://localhost/x",
            "https://localhost:3000/x",
            "https://a.b.example.org/",
            "https://example.org/",
            "https://.example.org/",
            "https://a.example.org./",
            "https://a.example.org:444/",
            "http://a.example.org/",
            "https://a,b.example.org/",
            "https://*.example.org/",
            "http://127.1:3000/",
            "http://0x7f000001:3000/",
            "http://2130706433:3000/",
        ]);
    }

    #[test]
    fn a_second_slash_or_a_backslash_is_no_path() {
        assert_all_fall_back(&[
            "//evil.com",
            "///evil.com",
            "//",
            "/\\evil.com",
            "\\/evil.com",
            "\\\\evil.com",
            "\\evil.com",
            "/\t/evil.com",
            "/\n/evil.com",
            "/..//evil.com",
            "/a//evil.com",
            "/a//",
            "/a\\b",
            "https://app.example.com//evil.com",
            "https://app.example.com/a\\b",
        ]);
    }

    #[test]
    fn dot_segments_and_encoded_separators_are_no_path() {
        for segment in [
            ".",
            "..",
            "%2e",
            "%2E",
            ".%2e",
            "%2e.",
            "%2E%2e",
            "a%2fb",
            "%2F",
            "%5c",
            "a%5C",
            "%2f%2fevil.com",
        ] {
            for url in [format!("/{segment}"), format!("/a/{segment}/b"), format!("{BASE}/{segment}?x")] {
                assert_all_fall_back(&[&url]);
            }
        }
    }

    #[test]
    fn encoded_control_characters_are_no_path() {
        for code in (0..0x20).chain([0x7f]) {
            for encoded in [format!("%{code:02x}"), format!("%{code:02X}")] {
                for url in [format!("/a{encoded}b"), format!("{BASE}/{encoded}")] {
                    assert_all_fall_back(&[&url]);
                }
                let free = format!("{BASE}/a?x={encoded}#{encoded}");
                assert_eq!(resolved(&free), (free.clone(), Disposition::SameOrigin));
            }
        }
        for url in ["/a%20b", "/a%7e", "/a%1", "/a%", "/a%zz", "/%c3%a9"] {
            assert_eq!(resolved(url).1, Disposition::Relative, "{url}");
        }
    }

    #[test]
    fn control_characters_and_outer_spaces_fall_back() {
        assert_all_fall_back(&[
            "/x\r\nSet-Cookie:a=1",
            "/x\0",
            "/x\t",
            "/x\u{7f}y",
            "/x\u{9f}y",
            " /dash",
            "/dash ",
            "\u{a0}/dash",
            "/dash\u{3000}",
            "\thttps://app.example.com/x",
            " https://app.example.com/x",
            "ht\ntps://app.example.com/x",
            "https://app.exam\tple.com/x",
            "https://app.example.com/x\n",
        ]);
    }

    #[test]
    fn a_scheme_is_followed_by_exactly_two_slashes() {
        assert_all_fall_back(&[
            "https:/app.example.com/x",
            "https:app.example.com/x",
            "https:\\\\app.example.com\\x",
            "https:/\\app.example.com/x",
            "https:///app.example.com/x",
            "https:////app.example.com/x",
            "https://",
            "https:",
            "https",
        ]);
    }

    #[test]
    fn user_info_falls_back() {
        assert_all_fall_back(&[
            "https://app.example.com\\@evil.com/",
            "https://user:pw@app.example.com/x",
            "https://user@app.example.com/x",
            "https://@app.example.com/x",
            "https://:@app.example.com/x",
            "https://app.example.com@evil.com",
            "https://app.example.com:443@evil.com/",
            "https://evil.com@app.example.com/",
        ]);
    }

    #[test]
    fn disguised_foreign_hosts_fall_back() {
        assert_all_fall_back(&[
            "https://evil.com/x",
            "http://app.example.com/x",
            "https://app.example.com:8443/x",
            "https://app.example.com:0/",
            "https://app.example.com:99999/",
            "https://app.example.com.evil.com/",
            "https://app.example.com%2eevil.com/",
            "https://app.example.com./",
            "https://app.example.com..",
            "https://аpp.example.com/",
            "https://app．example．com/",
            "https://app。example。com/",
            "https://ａpp.example.com/",
            "https://app.exam\u{ad}ple.com/",
            "https://app%2eexample%2ecom/",
            "https://%61pp.example.com/",
            "https://app.example.com\u{2044}x/",
            "https://[::1]/",
            "https://app.example.com;evil.com/",
            "https://app.example.com&evil.com/",
        ]);
    }

    #[test]
    fn other_schemes_fall_back() {
        assert_all_fall_back(&[
            "javascript:alert(1)",
            "javascript://app.example.com/%0aalert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "blob:https://app.example.com/id",
            "filesystem:https://app.example.com/temporary/x",
            "view-source:https://app.example.com/",
            "file:///etc/passwd",
            "ftp://app.example.com/",
            "mailto:a@example.com",
            "myapp://cb",
            "ws://app.example.com/",
            "://app.example.com/",
        ]);
    }

    #[test]
    fn text_that_is_neither_path_nor_url_falls_back() {
        assert_all_fall_back(&[
            "",
            "dashboard",
            "?x=1",
            "?x=https://app.example.com/",
            "#f",
            "./x",
            "../x",
            "@evil.com",
            ":8443/x",
            ".evil.com",
            "null",
            "undefined",
            "http://[::1",
            "https://%zz",
            "https:// /",
        ]);
    }

    #[test]
    fn two_thousand_and_forty_eight_bytes_are_the_most_in_and_out() {
        let fits = format!("{BASE}/{}", "a".repeat(MAX_BYTES - BASE.len() - 1));
        assert_eq!(resolved(&fits), (fits.clone(), Disposition::SameOrigin));
        assert_eq!(resolved(&fits[BASE.len()..]), (fits.clone(), Disposition::Relative));
        let grows = format!("/{}", "é".repeat(MAX_BYTES / 4));
        assert_all_fall_back(&[&format!("{fits}a"), &fits[BASE.len()..].repeat(2), &grows]);
    }

    #[test]
    fn a_path_goes_to_the_base_that_was_named() {
        let bases = bases();
        let base = bases.select("https://tenant.example.org").unwrap();
        for (url, out, disposition) in [
            ("/x", "https://tenant.example.org/x", Disposition::Relative),
            ("https://tenant.example.org/x", "https://tenant.example.org/x", Disposition::SameOrigin),
            ("https://app.example.com/x", "https://app.example.com/x", Disposition::AllowedOrigin),
            ("//evil.com", "https://tenant.example.org", Disposition::Fallback),
        ] {
            let (url, got) = resolve_redirect(&bases, &base, url);
            assert_eq!((url.as_str(), got), (out, disposition));
        }
    }

    #[test]
    fn an_error_joins_the_query_and_precedes_the_fragment() {
        for (text, out) in [
            ("/auth/error", "https://app.example.com/auth/error?error=AccessDenied"),
            ("/login?x=1", "https://app.example.com/login?x=1&error=AccessDenied"),
            ("/login?x=1#top", "https://app.example.com/login?x=1&error=AccessDenied#top"),
            ("/login#top?x", "https://app.example.com/login?error=AccessDenied#top?x"),
            ("/login?", "https://app.example.com/login?error=AccessDenied"),
            ("/login?x&", "https://app.example.com/login?x&error=AccessDenied"),
            ("https://app.example.com", "https://app.example.com/?error=AccessDenied"),
            ("https://a.example.org#f", "https://a.example.org/?error=AccessDenied#f"),
            ("http://localhost:3000/e", "http://localhost:3000/e?error=AccessDenied"),
        ] {
            let bases = bases();
            let url = DeniedUrl::parse(&bases, text).unwrap().with_error(DeniedError::AccessDenied);
            assert_eq!(url.as_str(), out);
            assert_eq!(resolve_redirect(&bases, bases.default_base(), out).0, url);
        }
    }

    #[test]
    fn every_error_has_the_name_that_auth_js_gave_it() {
        let denied = DeniedUrl::parse(&bases(), "/e").unwrap();
        for (error, name) in [
            (DeniedError::AccessDenied, "AccessDenied"),
            (DeniedError::OAuthAccountNotLinked, "OAuthAccountNotLinked"),
            (DeniedError::OAuthCallbackError, "OAuthCallbackError"),
        ] {
            assert_eq!(denied.with_error(error).as_str(), format!("{BASE}/e?error={name}"));
        }
    }

    #[test]
    fn a_denied_url_that_would_fall_back_is_a_fault() {
        let too_long = format!("/{}", "a".repeat(MAX_BYTES - BASE.len() - 10));
        for text in ["", "auth/error", "//evil.com", "https://evil.com/e", "/a/../b", &too_long] {
            assert_eq!(DeniedUrl::parse(&bases(), text), Err(DeniedUrlFault), "{text}");
        }
    }

    /// Returns the network location as Python's `urlsplit` finds it.
    fn naive_origin(url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap();
        format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap())
    }

    fn holds_for(bases: &BaseUrls, base: &Base, url: &str) {
        let (out, disposition) = resolve_redirect(bases, base, url);
        let text = out.as_str();
        let parsed = Url::parse(text).unwrap();
        let origin = parsed.origin().ascii_serialization();

        assert!(matches!(parsed.scheme(), "http" | "https"), "{text}");
        assert!(bases.allows(&origin), "{text}");
        assert_eq!(naive_origin(text), origin, "{text}");
        assert!(text.len() <= MAX_BYTES && text.is_ascii(), "{text}");
        assert!(!text.contains(|c: char| c.is_ascii_control() || c == '\\' || c == ' '), "{text:?}");
        assert_eq!(&parsed[Position::BeforeUsername..Position::BeforeHost], "", "{text}");
        let path = parsed.path().to_ascii_lowercase();
        assert!(!path.contains("//") && !path.contains("%2f") && !path.contains("%5c"), "{text}");
        assert!(
            !path.replace("%2e", ".").split('/').any(|segment| segment == "." || segment == ".."),
            "{text}"
        );

        match disposition {
            Disposition::Relative => {
                assert!(url.starts_with('/') && !url.starts_with("//"));
                assert_eq!(origin, base.as_str());
            }
            Disposition::SameOrigin => assert_eq!(origin, base.as_str()),
            Disposition::AllowedOrigin => assert_ne!(origin, base.as_str()),
            Disposition::AllowedScheme => panic!("{text}: no scheme is allowed here"),
            Disposition::Fallback => assert_eq!(text, base.as_str()),
        }

        let (again, second) = resolve_redirect(bases, base, text);
        assert_eq!(again, out, "{url:?}");
        let stays =
            if origin == base.as_str() { Disposition::SameOrigin } else { Disposition::AllowedOrigin };
        assert_eq!(second, stays, "{url:?}");
    }

    const PIECES: [&str; 51] = [
        "/",
        "\\",
        ":",
        "@",
        ".",
        "%",
        "?",
        "#",
        "\t",
        "\r",
        "\n",
        " ",
        "//",
        "://",
        "..",
        "%2e",
        "%2f",
        "%5c",
        "%5C",
        "%2E",
        "%25",
        "%0a",
        "\0",
        "\u{a0}",
        "é",
        "。",
        "．",
        "／",
        "\u{ad}",
        "https",
        "http",
        "HTTPS",
        "https://",
        "http://",
        "javascript:",
        "blob:",
        "app",
        "app.example.com",
        "APP.example.COM",
        "evil.com",
        "a.example.org",
        "example.org",
        "localhost:3000",
        "127.0.0.1:3000",
        "[::1]",
        "443",
        "8443",
        "xn--",
        "a",
        "'\"<>`{}|^",
        ";,=&",
    ];

    fn adversarial() -> impl Strategy<Value = String> {
        let head = prop::sample::select(&[
            "",
            "/",
            "https://app.example.com",
            "https://app.example.com/",
            "https://a.example.org/",
            "http://localhost:3000",
        ]);
        (head, prop::collection::vec(prop::sample::select(&PIECES), 0..10))
            .prop_map(|(head, pieces)| format!("{head}{}", pieces.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn no_hostile_text_leads_off_the_allowed_origins(url in adversarial(), tenant in any::<bool>()) {
            let bases = bases();
            let named = if tenant { "https://tenant.example.org" } else { "" };
            holds_for(&bases, &bases.select(named).unwrap(), &url);
        }

        #[test]
        fn a_plain_path_with_any_query_is_kept(path in "(/[a-z0-9]{1,5}){1,4}", query in "[a-z0-9=&/.@:%]{0,20}") {
            let url = format!("{path}?{query}");
            prop_assert_eq!(resolved(&url), (format!("{BASE}{url}"), Disposition::Relative));
        }
    }

    proptest! {
        #[test]
        fn no_text_at_all_leads_off_the_allowed_origins(url in any::<String>()) {
            let bases = bases();
            holds_for(&bases, bases.default_base(), &url);
            holds_for(&bases, bases.default_base(), &format!("/{url}"));
            holds_for(&bases, bases.default_base(), &format!("https://{url}"));
        }

        #[test]
        fn a_denied_url_is_a_redirect_like_any_other(text in adversarial()) {
            let bases = bases();
            if let Ok(denied) = DeniedUrl::parse(&bases, &text) {
                let url = denied.with_error(DeniedError::OAuthAccountNotLinked);
                let (again, disposition) = resolve_redirect(&bases, bases.default_base(), url.as_str());
                prop_assert_eq!(&again, &url);
                prop_assert_ne!(disposition, Disposition::Fallback);
                prop_assert!(Url::parse(url.as_str()).unwrap().query().unwrap().ends_with("error=OAuthAccountNotLinked"));
            }
        }
    }
}
