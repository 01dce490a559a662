//! The rule for the path of every redirect.

/// Tells whether every parser and server finds the same segments in a path, and no second host.
pub(super) fn is_plain(path: &str) -> bool {
    const DOT_SEGMENTS: [&str; 6] = [".", "..", "%2e", ".%2e", "%2e.", "%2e%2e"];
    let is_dots = |segment: &str| DOT_SEGMENTS.iter().any(|dots| segment.eq_ignore_ascii_case(dots));
    let is_separator = |at: &[u8]| at.eq_ignore_ascii_case(b"%2f") || at.eq_ignore_ascii_case(b"%5c");
    // A server that decodes the path may write it into a header or a log.
    let is_control = |at: &[u8]| match at {
        [b'%', b'0' | b'1', digit] => digit.is_ascii_hexdigit(),
        _ => at.eq_ignore_ascii_case(b"%7f"),
    };
    !path.contains('\\')
        && !path.contains("//")
        && !path.split('/').any(is_dots)
        && !path.as_bytes().windows(3).any(|at| is_separator(at) || is_control(at))
}
