//! Constant headers of the request for a profile, from the operator.

use std::fmt;

use http::{HeaderName, HeaderValue};

/// The maximum size of a name and of a value, in bytes.
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 1024;

/// The headers that the request sets or that change its meaning on the way.
const OURS: [&str; 16] = [
    "accept-encoding",
    "authorization",
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// The families of such headers: of the body, of conditions, of proxies.
const OUR_FAMILIES: [&str; 6] = ["content-", "if-", "proxy-", "sec-", "x-forwarded-", "x-http-method"];

/// The fault of a constant header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// The name is not valid.
    Name,
    /// The header is not for an operator to set.
    Ours,
    /// The value is not valid.
    Value,
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "must have a name of 1 to {MAX_NAME} characters of A-Z, a-z, 0-9 and -"),
            Self::Ours => f.write_str("can't be set here: Gatepass or the connection sets it"),
            Self::Value => write!(
                f,
                "must have a value of 1 to {MAX_VALUE} printable ASCII characters, and no space at its ends"
            ),
        }
    }
}

/// Makes a constant header of the request for a profile.
pub fn userinfo_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderFault> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_of_name) {
        return Err(HeaderFault::Name);
    }
    let name = HeaderName::try_from(name).map_err(|_| HeaderFault::Name)?;
    let is_ours =
        |name: &str| OURS.contains(&name) || OUR_FAMILIES.iter().any(|family| name.starts_with(family));
    if is_ours(name.as_str()) {
        return Err(HeaderFault::Ours);
    }
    let is_plain = value.trim() == value && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !(1..=MAX_VALUE).contains(&value.len()) || !is_plain {
        return Err(HeaderFault::Value);
    }
    let value = HeaderValue::try_from(value).map_err(|_| HeaderFault::Value)?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: &str, value: &str) -> Option<HeaderFault> {
        userinfo_header(name, value).err()
    }

    #[test]
    fn a_header_has_a_plain_name_and_value() {
        let (name, value) = userinfo_header("Notion-Version", "2022-06-28").unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("notion-version", b"2022-06-28".as_slice()));
        assert_eq!(fault("accept", "application/vnd.example+json; v=2"), None);
        let long = "x".repeat(MAX_VALUE + 1);
        for name in ["", "a b", "a:b", "a_b", "é", ":path", "a\r\nb", &long] {
            assert_eq!(fault(name, "1"), Some(HeaderFault::Name), "{name}");
        }
        for value in ["", " ", " a", "a ", "a\r\nb: c", "a\0", "\t", "é", &long] {
            assert_eq!(fault("x-a", value), Some(HeaderFault::Value), "{value}");
        }
    }

    #[test]
    fn no_header_of_the_request_itself_can_be_set() {
        let families =
            ["Content-Length", "content-type", "If-Match", "Proxy-Authorization", "X-Forwarded-For"];
        for name in OURS.into_iter().chain(families).chain(["x-http-method-override", "Sec-Fetch-Mode"]) {
            for name in [name.to_owned(), name.to_uppercase()] {
                assert_eq!(fault(&name, "1"), Some(HeaderFault::Ours), "{name}");
            }
        }
    }
}
