//! Names of protobuf as Rust spells them.

/// `STATE_MISMATCH` as `StateMismatch`.
pub(crate) fn upper_camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..].to_ascii_lowercase()).collect()
}
