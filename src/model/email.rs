//! E-mail addresses in the canonical spelling that is stored, looked up and compared.
//!
//! ASCII letters are lower-cased and the domain becomes its A-label (UTS 46, strict ASCII). An address that needs any
//! other folding is rejected, because two addresses that fold together may have different owners. Quoted local parts
//! and address lists (RFC 5322) are also rejected: they made Auth.js send magic links to the wrong person. Non-ASCII
//! local parts (RFC 6531) are kept unchanged. This module does not know if an address is verified.
//!
//! It is written by hand because libraries parse all of RFC 5322, which accepts those forms, and fold nothing or too much.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::is_nfkc;

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// A canonical e-mail address; its `Debug` output hides it from logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    text: String,
    at: usize,
}

/// The reason for rejecting an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailFault {
    /// The address is longer than 254 bytes, or its local part longer than 64.
    TooLong,
    /// There is no `@`, or more than one.
    NotOneAt,
    /// The address contains white space, a control character or an invisible one.
    Unprintable,
    /// Unicode normalisation (NFKC) would change the address.
    NotNormalised,
    /// The local part is empty or quoted, or contains one of `"(),:;<>[\]`.
    LocalPart,
    /// The part after the `@` is not a domain name.
    Domain,
}

impl fmt::Display for EmailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "must have at most 254 bytes, and at most 64 before the @",
            Self::NotOneAt => "must have exactly one @; write a bare address such as ada@example.com",
            Self::Unprintable => "must have no spaces, control characters or invisible characters",
            Self::NotNormalised => "must be written in Unicode's NFKC form",
            Self::LocalPart => "must have a name without quotes, brackets, commas or colons before the @",
            Self::Domain => "must have a domain name of letters, digits and hyphens, such as example.com",
        })
    }
}

impl std::error::Error for EmailFault {}

impl Email {
    /// Parses an address and converts it to its canonical spelling.
    pub fn parse(text: &str) -> Result<Self, EmailFault> {
        let (local, domain) = text.split_once('@').ok_or(EmailFault::NotOneAt)?;
        if text.len() > MAX_BYTES || local.len() > MAX_LOCAL_BYTES {
            return Err(EmailFault::TooLong);
        }
        if domain.contains('@') {
            return Err(EmailFault::NotOneAt);
        }
        let local = normal(local)?;
        if local.is_empty() || local.contains(['"', '(', ')', ',', ':', ';', '<', '>', '[', '\\', ']']) {
            return Err(EmailFault::LocalPart);
        }
        let text = format!("{local}@{}", canonical_domain(domain)?);
        if text.len() > MAX_BYTES { Err(EmailFault::TooLong) } else { Ok(Self { text, at: local.len() }) }
    }

    /// Returns the address as text; do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the domain as an A-label.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// A domain of `allowed_email_domains`; it does not match its subdomains.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailDomain(String);

impl EmailDomain {
    /// Parses a domain name as [`Email::parse`] parses the domain of an address.
    pub fn parse(text: &str) -> Result<Self, EmailFault> {
        canonical_domain(text).map(Self)
    }

    /// Returns the domain as an A-label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the address belongs to this domain.
    #[must_use]
    pub fn is_of(&self, email: &Email) -> bool {
        self.0 == email.domain()
    }
}

/// Lower-cases ASCII letters; rejects text that has invisible characters or that normalisation would change.
fn normal(text: &str) -> Result<String, EmailFault> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || is_invisible(c)) {
        return Err(EmailFault::Unprintable);
    }
    let lower = text.to_ascii_lowercase();
    // Both are checked: J with caron has no composed form, but j with caron has one.
    if is_nfkc(text) && is_nfkc(&lower) { Ok(lower) } else { Err(EmailFault::NotNormalised) }
}

/// Tells whether a character is a default-ignorable code point that survives NFKC.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn canonical_domain(text: &str) -> Result<String, EmailFault> {
    // UTS 46 maps each letter by itself, whereas `str::to_lowercase` looks at the letters beside a sigma.
    let lower: String = normal(text)?.chars().flat_map(char::to_lowercase).collect();
    let uts46 = Uts46::new();
    let ascii = uts46
        .to_ascii(lower.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| EmailFault::Domain)?;
    let (unicode, _) = uts46.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    // UTS 46 maps characters that NFKC keeps, such as the ideographic full stop. That would be folding.
    let is_kept = lower.split('.').eq(ascii
        .split('.')
        .zip(unicode.split('.'))
        .zip(lower.split('.'))
        .map(|((ascii, unicode), label)| if label.is_ascii() { ascii } else { unicode }));
    if is_kept { Ok(ascii.into_owned()) } else { Err(EmailFault::Domain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_has_one_spelling() {
        for (text, canonical) in [
            ("ada@example.com", "ada@example.com"),
            ("Ada.Lovelace+Tag@EXAMPLE.com", "ada.lovelace+tag@example.com"),
            ("root@localhost", "root@localhost"),
            ("o'brien_{x}/y=z@a-b.example", "o'brien_{x}/y=z@a-b.example"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
            ("ada@faß.example", "ada@xn--fa-hia.example"),
            // UTS 46 maps a capital sigma to the same small letter in every position.
            ("ada@ΟΔΟΣ-Α.example", "ada@xn----zlbh7bby.example"),
            ("ada@οδοσ-α.example", "ada@xn----zlbh7bby.example"),
            ("ada@οδος-α.example", "ada@xn----zlbh7bbs.example"),
            ("ada@ab--cd.example", "ada@ab--cd.example"),
            ("josé@example.com", "josé@example.com"),
            ("JOSÉ@example.com", "josÉ@example.com"),
            ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn similar_looking_addresses_are_different() {
        let spelled = ["josé@example.com", "jose@example.com", "jοse@example.com", "jose@exаmple.com"]
            .map(|text| Email::parse(text).unwrap());
        for (i, one) in spelled.iter().enumerate() {
            assert!(spelled[..i].iter().all(|other| one != other));
        }
    }

    #[test]
    fn addresses_that_need_unicode_folding_are_rejected() {
        for (text, fault) in [
            ("jose\u{301}@example.com", EmailFault::NotNormalised),
            ("J\u{30c}@example.com", EmailFault::NotNormalised),
            ("ａda@example.com", EmailFault::NotNormalised),
            ("\u{212a}im@example.com", EmailFault::NotNormalised),
            ("oﬃce@example.com", EmailFault::NotNormalised),
            ("ada@ｅxample.com", EmailFault::NotNormalised),
            ("ada@example．com", EmailFault::NotNormalised),
            ("ada@example。com", EmailFault::Domain),
            ("ada@exam\u{ad}ple.com", EmailFault::Unprintable),
            ("a\u{200b}da@example.com", EmailFault::Unprintable),
            ("\u{202e}ada@example.com", EmailFault::Unprintable),
            ("ada＠example.com", EmailFault::NotOneAt),
            ("ada@evil.com＠example.com", EmailFault::NotNormalised),
        ] {
            assert_eq!(Email::parse(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn spaces_and_control_characters_are_refused_wherever_they_are() {
        for text in [
            " ada@example.com",
            "ada@example.com ",
            "ada@example.com\n",
            "ada @example.com",
            "a da@example.com",
            "ada@exa mple.com",
            "a\0da@example.com",
            "ada\u{7f}@example.com",
            "ada@example.com\u{85}",
            "\u{2003}ada@example.com",
        ] {
            assert_eq!(Email::parse(text), Err(EmailFault::Unprintable), "{text:?}");
        }
    }

    #[test]
    fn there_is_exactly_one_at() {
        for text in ["", "ada", "example.com", "a@b@example.com", "ada@@example.com", "ada@example.com@"] {
            assert_eq!(Email::parse(text), Err(EmailFault::NotOneAt), "{text:?}");
        }
    }

    #[test]
    fn quotes_lists_and_brackets_are_refused() {
        for text in [
            "@example.com",
            "\"ada\"@example.com",
            "a,b@example.com",
            "a;b@example.com",
            "<ada@example.com",
            "mailto:ada@example.com",
            "ada(work)@example.com",
            "a\\b@example.com",
        ] {
            assert_eq!(Email::parse(text), Err(EmailFault::LocalPart), "{text:?}");
        }
        for text in [
            "ada@",
            "ada@example.com,evil.com",
            "ada@example.com>",
            "ada@[1.2.3.4]",
            "ada@[::1]",
            "ada@.example.com",
            "ada@example..com",
            "ada@example.com.",
            "ada@.",
            "ada@-example.com",
            "ada@example-.com",
            "ada@my_host.example",
            "ada@example.com:25",
            "ada@exam%70le.com",
            "ada@xn--.com",
            "ada@xn--a.com",
        ] {
            assert_eq!(Email::parse(text), Err(EmailFault::Domain), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_bounded_before_and_after_conversion() {
        let domain = |bytes: usize| format!("{}x.com", "ab.".repeat((bytes - 5) / 3));
        assert!(Email::parse(&format!("{}@example.com", "a".repeat(64))).is_ok());
        assert!(Email::parse(&format!("{}@{}", "a".repeat(64), domain(188))).is_ok());
        for text in [
            format!("{}@example.com", "a".repeat(65)),
            format!("{}@{}", "a".repeat(64), domain(191)),
            format!("{}@{}com", "a".repeat(64), "bü.".repeat(20)),
        ] {
            assert_eq!(Email::parse(&text), Err(EmailFault::TooLong), "{text}");
        }
        let label = format!("ada@{}.com", "a".repeat(64));
        assert_eq!(Email::parse(&label), Err(EmailFault::Domain));
    }

    #[test]
    fn debug_does_not_show_the_address() {
        assert_eq!(format!("{:?}", Email::parse("ada@example.com").unwrap()), "Email(…)");
    }

    #[test]
    fn an_allowed_domain_is_matched_exactly() {
        let allowed = EmailDomain::parse("Bücher.example").unwrap();
        assert_eq!(allowed.as_str(), "xn--bcher-kva.example");
        for (email, is_of) in [
            ("ada@xn--bcher-kva.example", true),
            ("ada@BÜCHER.example", true),
            ("ada@mail.bücher.example", false),
            ("ada@evilbücher.example", false),
            ("ada@bucher.example", false),
        ] {
            assert_eq!(allowed.is_of(&Email::parse(email).unwrap()), is_of, "{email}");
        }
        for bad in ["", "@example.com", "*.example.com", ".example.com", "example.com.", " example.com"] {
            assert!(EmailDomain::parse(bad).is_err(), "{bad}");
        }
    }

    fn holds_for(text: &str) {
        let Ok(email) = Email::parse(text) else { return };
        assert_eq!(Email::parse(email.as_str()).as_ref(), Ok(&email), "{text:?}");
        let (local, domain) = email.as_str().split_once('@').unwrap();
        assert_eq!(domain, email.domain());
        assert!(domain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b)));
        assert!(is_nfkc(local) && !local.is_empty() && local.len() <= 64 && email.as_str().len() <= 254);
        assert!(local.eq_ignore_ascii_case(text.split('@').next().unwrap()), "{text:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_canonical_address_reads_back_as_itself(text in any::<String>(), local in "\\PC{1,8}", domain in "\\PC{1,8}") {
            holds_for(&text);
            holds_for(&format!("{local}@example.com"));
            holds_for(&format!("ada@{domain}.example"));
        }

        #[test]
        fn a_plain_address_is_only_lower_cased(text in "[A-Za-z0-9.+_-]{1,20}@[A-Za-z0-9]{1,10}\\.[A-Za-z]{2,5}") {
            let email = Email::parse(&text).unwrap();
            prop_assert_eq!(email.as_str(), text.to_ascii_lowercase());
        }
    }
}
