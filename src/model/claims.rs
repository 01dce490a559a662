//! Claims added by callbacks: bounded JSON under names that are not reserved.

use std::fmt;

use serde_json::{Map, Value};

/// A JSON object.
pub type ClaimMap = Map<String, Value>;

/// The largest integer that every JSON parser reads without loss (RFC 8259 section 6).
pub const MAX_INTEGER: u64 = 1 << 53;

/// The greatest nesting depth of claims.
pub const MAX_DEPTH: usize = 16;

/// Claim names that only Gatepass sets: those that it tells itself, and registered ones that decide the subject and the
/// validity of a token. All other names are free, registered ones included.
const RESERVED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "client_id",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "cnf",
    "act",
    "may_act",
    "events",
    "epoch",
    "provider",
    "session_exp",
    "name",
    "email",
    "email_verified",
    "picture",
    "role",
    "sub_id",
    "sub_jwk",
    "_claim_names",
    "_claim_sources",
    "_sd",
    "_sd_alg",
    "...",
];

/// Claims that grant permissions (RFC 9068 section 2.2.3, RFC 9396): callbacks may set them, clients may not.
const PERMISSIONS: &[&str] = &["scope", "roles", "groups", "entitlements", "authorization_details"];

/// Tells whether callbacks must not set a claim of this name.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Tells whether a claim of this name grants permissions, so that a client must not change it.
#[must_use]
pub fn grants_permissions(name: &str) -> bool {
    PERMISSIONS.contains(&name)
}

/// The reason for rejecting claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimFault {
    /// The name is one that only Gatepass sets.
    Reserved(String),
    /// The name is empty, longer than 128 bytes, or contains a control character.
    BadName,
    /// A number is not finite, or is an integer beyond 2^53.
    BadNumber(String),
    /// The value is nested deeper than [`MAX_DEPTH`].
    TooDeep(String),
    /// A claim of RFC 9068 section 2.2.3 has another type than this one.
    WrongType(String, &'static str),
    /// The JSON is larger than this many bytes.
    TooLarge(usize),
}

impl fmt::Display for ClaimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(name) => write!(f, "claim {name:?} is reserved; choose another name"),
            Self::BadName => f.write_str("a claim's name has 1 to 128 bytes and no control characters"),
            Self::BadNumber(name) => {
                write!(f, "claim {name:?} holds a number beyond 2^53; write it as a string")
            }
            Self::TooDeep(name) => write!(f, "claim {name:?} nests deeper than {MAX_DEPTH} levels"),
            Self::WrongType(name, wanted) => write!(f, "claim {name:?} must be {wanted}"),
            Self::TooLarge(limit) => write!(f, "claims are larger than {limit} bytes of JSON"),
        }
    }
}

/// Returns a member of another system's document; null counts as absent.
#[must_use]
pub fn member<'m>(document: &'m ClaimMap, name: &str) -> Option<&'m Value> {
    document.get(name).filter(|value| !value.is_null())
}

/// Merges additions into claims: a null removes a claim, any other value replaces it.
pub fn merge(into: &mut ClaimMap, additions: ClaimMap) {
    for (name, value) in additions {
        if value.is_null() {
            into.remove(&name);
        } else {
            into.insert(name, value);
        }
    }
}

/// Checks the name of a claim set by a callback.
pub fn check_name(name: &str) -> Result<(), ClaimFault> {
    if is_reserved(name) { Err(ClaimFault::Reserved(name.to_owned())) } else { check_spelling(name) }
}

/// Checks the names and values of additions. [`check_size`] checks the size of the merged claims.
pub fn check_additions(additions: &ClaimMap) -> Result<(), ClaimFault> {
    additions.iter().try_for_each(|(name, value)| {
        check_name(name)?;
        check_registered(name, value)?;
        check_entry(name, value)
    })
}

/// Checks the type of a claim of RFC 9068 section 2.2.3; a null removes the claim.
fn check_registered(name: &str, value: &Value) -> Result<(), ClaimFault> {
    let (fits, wanted) = match name {
        "scope" => (value.is_string(), "a string"),
        "roles" | "groups" | "entitlements" => (value.is_array(), "a list"),
        _ => return Ok(()),
    };
    if fits || value.is_null() { Ok(()) } else { Err(ClaimFault::WrongType(name.to_owned(), wanted)) }
}

/// Checks JSON whose names are not restricted.
pub fn check_free(map: &ClaimMap) -> Result<(), ClaimFault> {
    map.iter().try_for_each(|(name, value)| check_entry(name, value))
}

/// Checks that the claims are at most `limit` bytes of JSON.
pub fn check_size(claims: &ClaimMap, limit: usize) -> Result<(), ClaimFault> {
    if json_size(claims) > limit { Err(ClaimFault::TooLarge(limit)) } else { Ok(()) }
}

/// Returns the size of the claims in bytes of JSON.
#[must_use]
pub fn json_size(claims: &ClaimMap) -> usize {
    serde_json::to_vec(claims).map_or(usize::MAX, |json| json.len())
}

/// Estimates the memory used by claims, in bytes. A small object takes about a hundred times the size of its JSON.
#[must_use]
pub fn memory_size(claims: &ClaimMap) -> u64 {
    // A B-tree node holds up to eleven entries and is at least half full.
    let nodes = (claims.len() as u64).div_ceil(6);
    let entries = claims.iter().map(|(name, value)| name.len() as u64 + memory_of(value));
    nodes * BYTES_A_NODE + entries.sum::<u64>()
}

const BYTES_A_NODE: u64 = 11 * (size_of::<String>() + size_of::<Value>()) as u64 + 32;

fn memory_of(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len() as u64,
        Value::Array(items) => {
            items.iter().map(|item| size_of::<Value>() as u64 + memory_of(item)).sum::<u64>()
        }
        Value::Object(map) => memory_size(map),
    }
}

fn check_entry(name: &str, value: &Value) -> Result<(), ClaimFault> {
    check_spelling(name)?;
    check_value(value, MAX_DEPTH).map_err(|fault| fault(name.to_owned()))
}

fn check_spelling(name: &str) -> Result<(), ClaimFault> {
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        Err(ClaimFault::BadName)
    } else {
        Ok(())
    }
}

fn check_value(value: &Value, depth: usize) -> Result<(), fn(String) -> ClaimFault> {
    if depth == 0 {
        return Err(ClaimFault::TooDeep);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => {
            if whole_enough(number) {
                Ok(())
            } else {
                Err(ClaimFault::BadNumber)
            }
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth - 1)),
        Value::Object(map) => map.values().try_for_each(|item| check_value(item, depth - 1)),
    }
}

/// Tells whether every JSON parser reads this number without loss.
#[must_use]
pub fn whole_enough(number: &serde_json::Number) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact in a double")]
    let limit = MAX_INTEGER as f64;
    if let Some(whole) = number.as_u64() {
        whole <= MAX_INTEGER
    } else if let Some(whole) = number.as_i64() {
        whole.unsigned_abs() <= MAX_INTEGER
    } else {
        number.as_f64().is_some_and(|real| real.is_finite() && (real.abs() <= limit || real.fract() != 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "so that json! stands in the call")]
    fn map(value: Value) -> ClaimMap {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn a_null_removes_and_all_else_replaces() {
        let mut claims = map(json!({"a": 1, "b": 2}));
        merge(&mut claims, map(json!({"a": null, "b": 3, "c": 4, "d": null})));
        assert_eq!(claims, map(json!({"b": 3, "c": 4})));
    }

    #[test]
    fn names_of_gatepass_and_of_proofs_are_refused() {
        for name in RESERVED {
            let additions = ClaimMap::from_iter([((*name).to_owned(), json!("x"))]);
            assert_eq!(check_additions(&additions), Err(ClaimFault::Reserved((*name).to_owned())));
        }
        assert_eq!(check_additions(&map(json!({"tenant": {"sub": 1}}))), Ok(()));
    }

    #[test]
    fn other_registered_names_are_free() {
        let free = json!({
            "locale": "de", "address": {"country": "UK"}, "preferred_username": "ada", "status": "new", "title": "Dr",
            "scope": "orders:read", "roles": ["admin"], "groups": [], "entitlements": [{"value": "a"}],
            "authorization_details": [{"type": "payment"}],
        });
        assert_eq!(check_additions(&map(free)), Ok(()));
    }

    #[test]
    fn scope_is_a_string_and_roles_groups_and_entitlements_are_lists() {
        for (name, bad, wanted) in [
            ("scope", json!(["a"]), "a string"),
            ("scope", json!(1), "a string"),
            ("roles", json!("admin"), "a list"),
            ("groups", json!({"a": 1}), "a list"),
            ("entitlements", json!(true), "a list"),
        ] {
            let additions = ClaimMap::from_iter([(name.to_owned(), bad)]);
            assert_eq!(check_additions(&additions), Err(ClaimFault::WrongType(name.to_owned(), wanted)));
            let removal = ClaimMap::from_iter([(name.to_owned(), Value::Null)]);
            assert_eq!(check_additions(&removal), Ok(()));
        }
    }

    #[test]
    fn numbers_beyond_two_to_the_53_are_refused_at_any_depth() {
        assert_eq!(check_additions(&map(json!({"n": 9_007_199_254_740_992_u64}))), Ok(()));
        for bad in [json!(9_007_199_254_740_993_u64), json!(-9_007_199_254_740_993_i64), json!(1e300)] {
            let nested = map(json!({"n": [{"deep": bad}]}));
            assert_eq!(check_additions(&nested), Err(ClaimFault::BadNumber("n".into())));
        }
    }

    #[test]
    fn nesting_has_a_bottom() {
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(check_free(&map(json!({"n": deep(MAX_DEPTH - 1)}))), Ok(()));
        assert_eq!(check_free(&map(json!({"n": deep(MAX_DEPTH)}))), Err(ClaimFault::TooDeep("n".into())));
    }

    #[test]
    fn many_small_objects_take_more_memory_than_one_long_text() {
        let text = map(json!({"a": "x".repeat(3000)}));
        let objects = map(json!({"a": vec![json!({"id": 1}); 330]}));
        assert!((3_000..4_500).contains(&memory_size(&text)), "{}", memory_size(&text));
        assert!((200_000..300_000).contains(&memory_size(&objects)), "{}", memory_size(&objects));
    }

    #[test]
    fn size_is_counted_as_json() {
        assert_eq!(check_size(&map(json!({"a": "xy"})), 10), Ok(()));
        assert_eq!(check_size(&map(json!({"a": "xyz"})), 10), Err(ClaimFault::TooLarge(10)));
    }
}
