//! The characters that RFC 6749 allows (appendix A) in scopes and in error codes, from callers as well as from
//! providers.

/// The maximum size of an error code in bytes; registered ones have at most half of it.
const MAX_ERROR_CODE: usize = 64;
/// The maximum size of one scope, in bytes.
const MAX_SCOPE: usize = 255;
/// The maximum size of all scopes, in bytes: 64 scopes and their separators.
const MAX_SCOPES: usize = 64 * (MAX_SCOPE + 1);

/// Returns true if this is a valid error code (sections 4.1.2.1 and 5.2) within the maximum size.
#[must_use]
pub fn is_error_code(text: &str) -> bool {
    (1..=MAX_ERROR_CODE).contains(&text.len()) && text.bytes().all(|byte| byte == b' ' || is_of_scope(byte))
}

/// Returns true if this is one scope (section 3.3).
#[must_use]
pub fn is_scope(text: &str) -> bool {
    (1..=MAX_SCOPE).contains(&text.len()) && text.bytes().all(is_of_scope)
}

/// Returns true if these are scopes separated by spaces, or none, within the maximum size.
pub(super) fn are_scopes(text: &str) -> bool {
    text.len() <= MAX_SCOPES && text.bytes().all(|byte| byte == b' ' || is_of_scope(byte))
}

/// NQCHAR: visible ASCII without quotes and backslashes.
fn is_of_scope(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_one_that_may_be_there() {
        for byte in 0..=127_u8 {
            let (text, of_scope) =
                (char::from(byte).to_string(), matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
            assert_eq!(is_scope(&text), of_scope, "{byte}");
            assert_eq!(is_error_code(&text), of_scope || byte == 0x20, "{byte}");
            assert_eq!(are_scopes(&text), of_scope || byte == 0x20, "{byte}");
        }
        assert!(!is_scope("é") && !is_error_code("é") && !are_scopes("é"));
    }

    #[test]
    fn each_has_a_length() {
        let long = |bytes| "x".repeat(bytes);
        assert!(is_error_code(&long(64)) && !is_error_code(&long(65)) && !is_error_code(""));
        assert!(is_scope(&long(255)) && !is_scope(&long(256)) && !is_scope(""));
        assert!(are_scopes(&long(MAX_SCOPES)) && !are_scopes(&long(MAX_SCOPES + 1)) && are_scopes(""));
    }
}
