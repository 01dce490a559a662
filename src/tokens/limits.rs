//! The bounds of every access token.

/// The most bytes a token has.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";
