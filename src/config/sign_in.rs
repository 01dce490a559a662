//! `sign_in`: the rules about who may sign in, and the pages for denied sign-ins.

use super::entry::{Absent, AnyEntry, Entry, Flag, Keys, List, Parsed, Span, Text};
use super::reader::Section;
use crate::model::{BaseUrls, DeniedUrl, EmailDomain};
use std::time::Duration;
use url::Url;

const PLACE: Text<String> = Text { what: "path or URL", pattern: None, parse: place };

pub(super) static SIGN_IN: Entry<Keys> = Entry {
    path: "sign_in",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The built-in policy of sign-in.",
};

static ALLOWED_EMAIL_DOMAINS: Entry<List<Text<EmailDomain>>> = Entry {
    path: "sign_in.allowed_email_domains",
    kind: List {
        least: 1,
        most: 1000,
        item: Text { what: "domain", pattern: None, parse: domain },
        // An empty list could mean every domain or no domain.
        empty: Some("must not be empty; leave the key out to allow every domain"),
    },
    absent: Absent::Means("every domain, and no e-mail is needed"),
    doc: "The exact domains, in lower case, that a verified e-mail address must have.",
};

static REQUIRE_VERIFIED_EMAIL: Entry<Flag> = Entry {
    path: "sign_in.require_verified_email",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "Rejects sign-ins without a verified e-mail address.",
};

static ALLOW_SIGN_UP: Entry<Flag> = Entry {
    path: "sign_in.allow_sign_up",
    kind: Flag,
    absent: Absent::Default("true"),
    doc: "Allows sign-ups: sign-ins of people who are not users yet.",
};

static DEFAULT_ROLE: Entry<Text<String>> = Entry {
    path: "sign_in.default_role",
    kind: Text { what: "1 to 64 printable characters", pattern: None, parse: role },
    absent: Absent::Default("user"),
    doc: "The role of a new user.",
};

static DENIED_URL: Entry<Text<String>> = Entry {
    path: "sign_in.denied_url",
    kind: PLACE,
    absent: Absent::Default("/auth/error"),
    doc: "The page for denied sign-ins: a path on the default base URL, or a URL on one of `base_urls`.",
};

static BANNED_URL: Entry<Text<String>> = Entry {
    path: "sign_in.banned_url",
    kind: PLACE,
    absent: Absent::Means("= `denied_url`"),
    doc: "The page for sign-ins of banned users.",
};

static TELL_BAN_REASON: Entry<Flag> = Entry {
    path: "sign_in.tell_ban_reason",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "True if the denial of a banned user contains the reason of the ban. It always contains the end of the ban.",
};

static LINK_WITHIN: Entry<Span> = Entry {
    path: "sign_in.link_within",
    kind: Span(Duration::from_mins(1)..=Duration::from_hours(24)),
    absent: Absent::Default("10m"),
    doc: "The time after a sign-in within which its user may link another account.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![
        &SIGN_IN,
        &ALLOWED_EMAIL_DOMAINS,
        &REQUIRE_VERIFIED_EMAIL,
        &ALLOW_SIGN_UP,
        &DEFAULT_ROLE,
        &DENIED_URL,
        &BANNED_URL,
        &TELL_BAN_REASON,
        &LINK_WITHIN,
    ]
}

/// The built-in policy of sign-in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The domains that a verified e-mail address must belong to; any domain if empty.
    pub allowed_email_domains: Vec<EmailDomain>,
    /// True if sign-ins without a verified e-mail address are rejected.
    pub require_verified_email: bool,
    /// True if new users may sign in.
    pub allow_sign_up: bool,
    /// The role of a new user.
    pub default_role: String,
    /// The page for denied sign-ins.
    pub denied_url: DeniedUrl,
    /// The page for sign-ins of banned users.
    pub banned_url: DeniedUrl,
    /// True if the denial of a banned user tells the administrator's reason.
    pub tell_ban_reason: bool,
    /// The time after a sign-in within which its user may link another account.
    pub link_within: Duration,
}

impl SignIn {
    pub(super) fn read(section: &mut Section, bases: &BaseUrls) -> Option<Self> {
        let (denied, banned) = (section.get(&DENIED_URL)?, section.get(&BANNED_URL));
        let denied_url = page(section, &DENIED_URL, bases, &denied)?;
        let banned_url = match banned {
            Some(banned) => page(section, &BANNED_URL, bases, &banned)?,
            None => section.assume(&BANNED_URL, denied_url.clone(), denied),
        };
        Some(Self {
            allowed_email_domains: section.get(&ALLOWED_EMAIL_DOMAINS).unwrap_or_default(),
            require_verified_email: section.get(&REQUIRE_VERIFIED_EMAIL)?,
            allow_sign_up: section.get(&ALLOW_SIGN_UP)?,
            default_role: section.get(&DEFAULT_ROLE)?,
            denied_url,
            banned_url,
            tell_ban_reason: section.get(&TELL_BAN_REASON)?,
            link_within: section.get(&LINK_WITHIN)?,
        })
    }
}

/// Resolves the page in `text`. The default replaces one that is at fault; while `base_urls` is at fault, no page can
/// be checked.
fn page(section: &Section, entry: &Entry<Text<String>>, bases: &BaseUrls, text: &str) -> Option<DeniedUrl> {
    let fault = match DeniedUrl::parse(bases, text) {
        Ok(url) => return Some(url),
        Err(_) => "must be a plain path, or a URL on one of base_urls",
    };
    if section.cx.sound("base_urls") && section.cx.sound(entry.path) {
        section.cx.fault(entry.path, fault);
    }
    DeniedUrl::parse(bases, &section.default_of(&DENIED_URL)?).ok()
}

fn role(text: &str) -> Parsed<String> {
    let outer_space = text.trim() != text;
    if outer_space || text.chars().count() > 64 || text.chars().any(char::is_control) {
        return Err("must have 1 to 64 printable characters, and no space at its ends".into());
    }
    Ok(text.to_owned())
}

fn place(text: &str) -> Parsed<String> {
    let odd = text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') || text.len() > 2048;
    let path = text.starts_with('/') && !text.starts_with("//");
    let url = || {
        Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        })
    };
    if odd || !(path || url()) {
        return Err("must be a path that begins with one \"/\", or an http or https URL".into());
    }
    Ok(text.to_owned())
}

fn domain(text: &str) -> Parsed<EmailDomain> {
    match domain_fault(text) {
        None => EmailDomain::parse(text).map_err(|fault| fault.to_string().into()),
        Some(message) => Err(message.into()),
    }
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
