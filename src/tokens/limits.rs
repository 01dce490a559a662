//! The limits of every access token.

/// The largest size of a token in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";
