//! `sign_in`: who may sign in, and where the refused are sent. Whether a place may be redirected to is decided by the
//! redirect rule, where these are used.

use super::read::{Section, Setting};
use std::time::Duration;
use url::Url;

/// The built-in policy of sign-in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// `allowed_email_domains`: exact domains, lower case, as A-labels; only a verified e-mail meets them. Default
    /// (`None`) every domain, and no e-mail needed.
    pub allowed_email_domains: Option<Vec<String>>,
    /// `require_verified_email`: refuse who has no verified e-mail. Default false.
    pub require_verified_email: bool,
    /// `allow_sign_up`: let people sign in who are not users yet. Default true.
    pub allow_sign_up: bool,
    /// `default_role`: the role of a new user, 1 to 64 printable characters. Default user.
    pub default_role: String,
    /// `denied_url`: where the denied are sent: a path on the default base URL, or a URL. Default /auth/error.
    pub denied_url: String,
    /// `banned_url`: where the banned are sent. Default `denied_url`.
    pub banned_url: String,
    /// `link_within`: how long after a sign-in its person may link another account, 1m to 24h. Default 10m.
    pub link_within: Duration,
}

impl SignIn {
    pub(super) fn read(section: &mut Section) -> Self {
        let denied_url = section.read("denied_url", place).unwrap_or_else(|| "/auth/error".to_owned());
        Self {
            allowed_email_domains: section.read("allowed_email_domains", domains),
            require_verified_email: section.read("require_verified_email", Setting::boolean).unwrap_or(false),
            allow_sign_up: section.read("allow_sign_up", Setting::boolean).unwrap_or(true),
            default_role: section.read("default_role", role).unwrap_or_else(|| "user".to_owned()),
            banned_url: section.read("banned_url", place).unwrap_or_else(|| denied_url.clone()),
            denied_url,
            link_within: section
                .read("link_within", |s| s.duration(&(Duration::from_mins(1)..=Duration::from_hours(24))))
                .unwrap_or(Duration::from_mins(10)),
        }
    }
}

fn role(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    let outer_space = text.trim() != text;
    if outer_space || text.chars().count() > 64 || text.chars().any(char::is_control) {
        return setting.refuse("must have 1 to 64 printable characters, and no space at its ends");
    }
    Some(text)
}

fn place(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    let odd = text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') || text.len() > 2048;
    let path = text.starts_with('/') && !text.starts_with("//");
    let url = || {
        Url::parse(&text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        })
    };
    if odd || !(path || url()) {
        return setting.refuse("must be a path that begins with one \"/\", or an http or https URL");
    }
    Some(text)
}

fn domains(setting: Setting) -> Option<Vec<String>> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let domains = setting.distinct(0, 1000, |item| {
        let text = item.text()?;
        match domain_fault(&text) {
            None => Some(text),
            Some(message) => item.refuse(message),
        }
    })?;
    if domains.is_empty() {
        // Every domain and no domain are both fair readings of an empty list.
        cx.fault(&path, "must not be empty; leave the key out to allow every domain");
        return None;
    }
    Some(domains)
}

fn domain_fault(text: &str) -> Option<String> {
    if text.contains('*') {
        return Some("must be an exact domain, without \"*\"; list each one".to_owned());
    }
    let name = text.rsplit('@').next().unwrap_or(text).trim();
    let spelling = idna::domain_to_ascii_strict(name).ok().filter(|name| !name.is_empty());
    match spelling {
        Some(spelling) if spelling == text => None,
        Some(spelling) => Some(format!("must be a domain in lower case; write \"{spelling}\"")),
        None => Some("must be a domain; write \"example.com\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_exact_lower_case_and_ascii() {
        for good in ["example.com", "a.b.example", "xn--bcher-kva.example", "localhost"] {
            assert_eq!(domain_fault(good), None, "{good}");
        }
        for (bad, told) in [
            ("Example.com", "write \"example.com\""),
            ("@example.com", "write \"example.com\""),
            ("a@example.com", "write \"example.com\""),
            ("bücher.example", "write \"xn--bcher-kva.example\""),
            (" example.com", "write \"example.com\""),
            ("*.example.com", "list each one"),
            ("exa mple.com", "must be a domain"),
            ("a..b", "must be a domain"),
            ("a_b.example", "must be a domain"),
        ] {
            assert!(
                domain_fault(bad).is_some_and(|message| message.contains(told)),
                "{bad}: {:?}",
                domain_fault(bad)
            );
        }
    }
}
