//! Further parameters of an authorization request, from a caller or the operator.

use std::fmt;
use std::time::Duration;

/// The maximum size of a name, in bytes.
const MAX_NAME: usize = 64;

/// The parameter for the longest time since the person authenticated (OpenID Connect Core section 3.1.2.1).
pub const MAX_AGE: &str = "max_age";

/// The parameters that Gatepass sets: they may not be set otherwise, or replaced (RFC 9101). Some belong to a token
/// endpoint only, and are not allowed in a URL.
pub(super) const OURS: [&str; 16] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "nonce",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// The fault of a parameter of an authorization request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterFault {
    /// The name is not valid.
    Name,
    /// Gatepass sets this parameter itself.
    Ours,
    /// `max_age` is no number of seconds.
    MaxAge,
}

impl fmt::Display for ParameterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "must have a name of 1 to 64 characters of a-z, 0-9, _ and -",
            Self::Ours => "must not be set here; Gatepass or another setting sets it",
            Self::MaxAge => "must be a whole number of seconds, at most 4294967295",
        })
    }
}

/// Checks that an authorization request may have this further parameter.
///
/// A name is rejected if a server could read it as a reserved one. It may have another case (`State`), be part of a
/// list (`state[]`), or contain a character that PHP reads as an underscore (`code.challenge`). Every parameter that is
/// registered for OAuth uses the remaining characters; the hyphen is allowed for `ext-…` of Auth0.
pub fn check_parameter(name: &str, value: &str) -> Result<(), ParameterFault> {
    let is_of_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_of_name) {
        Err(ParameterFault::Name)
    } else if OURS.contains(&name.replace('-', "_").as_str()) {
        Err(ParameterFault::Ours)
    } else if name == MAX_AGE && max_age(value).is_none() {
        Err(ParameterFault::MaxAge)
    } else {
        Ok(())
    }
}

/// Parses the value of [`MAX_AGE`].
pub(super) fn max_age(value: &str) -> Option<Duration> {
    let seconds: u32 = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())??;
    Some(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_no_server_takes_for_one_of_ours() {
        for ours in OURS {
            assert_eq!(check_parameter(ours, "x"), Err(ParameterFault::Ours), "{ours}");
            let hyphened = ours.replace('_', "-");
            assert_eq!(check_parameter(&hyphened, "x"), Err(ParameterFault::Ours), "{hyphened}");
            for alike in [
                ours.to_uppercase(),
                ours.replacen(|_: char| true, &ours[..1].to_uppercase(), 1),
                format!("{ours}[]"),
                format!("{ours}[0]"),
                format!(" {ours}"),
                format!("{ours} "),
                format!("{ours}\0"),
                format!("{ours}\u{301}"),
            ] {
                assert_eq!(check_parameter(&alike, "x"), Err(ParameterFault::Name), "{alike}");
            }
        }
        let long = "p".repeat(MAX_NAME);
        for good in ["prompt", "kc_idp_hint", "hd", "ext-campaign", "p2", &long] {
            assert_eq!(check_parameter(good, "x"), Ok(()), "{good}");
        }
        for none in
            ["", "code.challenge", "code challenge", "code[challenge", "a=b", "a&b", &format!("{long}p")]
        {
            assert_eq!(check_parameter(none, "x"), Err(ParameterFault::Name), "{none}");
        }
    }

    #[test]
    fn a_max_age_is_a_whole_number_of_seconds() {
        for (value, wanted) in
            [("0", Some(0)), ("3600", Some(3600)), ("4294967295", Some(u32::MAX)), ("4294967296", None)]
        {
            assert_eq!(max_age(value), wanted.map(|seconds| Duration::from_secs(seconds.into())), "{value}");
        }
        for none in ["", "-1", "+1", "1.5", "1e3", " 1", "1 ", "0x1", "\u{661}"] {
            assert_eq!(check_parameter(MAX_AGE, none), Err(ParameterFault::MaxAge), "{none}");
        }
    }
}
