//! Identity providers: a provider's id, and a person's id at a provider.

use std::fmt;
use std::str::FromStr;

/// The id of a provider: `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderId(String);

impl ProviderId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProviderId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let first = bytes.first().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(b));
        if first && rest && bytes.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            Err("must match [a-z0-9][a-z0-9_-]{0,63}")
        }
    }
}

/// The id of a person at a provider: 1 to 255 bytes without control characters, compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderAccountId(String);

impl ProviderAccountId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderAccountId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
            Err("must have 1 to 255 bytes and no control characters")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_ids_are_lower_case_names() {
        for good in ["github", "0auth", "my-idp_2", &"a".repeat(64)] {
            assert!(good.parse::<ProviderId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "GitHub", "a b", "é", "a.b", &"a".repeat(65)] {
            assert!(bad.parse::<ProviderId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn account_ids_are_bounded_and_printable() {
        assert!("jose\u{301}".parse::<ProviderAccountId>().is_ok());
        for bad in ["", "a\0b", "a\nb", &"x".repeat(256)] {
            assert!(bad.parse::<ProviderAccountId>().is_err(), "{bad:?}");
        }
    }
}
