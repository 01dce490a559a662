//! The type of a claim, as text and as a check of values.

use std::fmt;

use serde_json::Value;

use super::super::claims::whole_enough;
use super::super::suggest;

/// The greatest nesting of `list` and `map`.
const MAX_NESTING: usize = 8;

/// The names of the types without a parameter.
const PLAIN: [&str; 5] = ["string", "bool", "int", "double", "timestamp"];

/// The type of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimType {
    /// `string`.
    String,
    /// `bool`.
    Bool,
    /// `int`: a whole number within 2^53.
    Int,
    /// `double`.
    Double,
    /// `timestamp`: a time as text of RFC 3339.
    Timestamp,
    /// `list<…>`.
    List(Box<Self>),
    /// `map<…>`: an object with any keys.
    Map(Box<Self>),
    /// `{enum: […]}`: one of these texts.
    Enum(Vec<String>),
}

impl ClaimType {
    /// Parses a type. With a `?` at its end, the claim may be missing: then the second value is true.
    pub fn parse(text: &str) -> Result<(Self, bool), String> {
        let (text, optional) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
        Self::nested(text, MAX_NESTING).map(|parsed| (parsed, optional))
    }

    fn nested(text: &str, nesting: usize) -> Result<Self, String> {
        let parameter = |name: &str| text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>');
        let deeper = |text| match nesting {
            0 => Err(format!("must nest at most {MAX_NESTING} levels of list and map")),
            _ => Self::nested(text, nesting - 1).map(Box::new),
        };
        if let Some(item) = parameter("list") {
            return Ok(Self::List(deeper(item)?));
        }
        if let Some(item) = parameter("map") {
            return Ok(Self::Map(deeper(item)?));
        }
        Ok(match text {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "double" => Self::Double,
            "timestamp" => Self::Timestamp,
            _ => return Err(no_type(text)),
        })
    }

    /// Returns true if a value has this type.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::String, Value::String(_)) | (Self::Bool, Value::Bool(_)) => true,
            (Self::Int, Value::Number(number)) => {
                whole_enough(number) && number.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            (Self::Double, Value::Number(number)) => whole_enough(number),
            (Self::Timestamp, Value::String(text)) => is_timestamp(text),
            (Self::List(item), Value::Array(items)) => items.iter().all(|value| item.fits(value)),
            (Self::Map(item), Value::Object(map)) => map.values().all(|value| item.fits(value)),
            (Self::Enum(values), Value::String(text)) => values.contains(text),
            _ => false,
        }
    }
}

impl fmt::Display for ClaimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Double => f.write_str("double"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Map(item) => write!(f, "map<{item}>"),
            Self::Enum(values) => write!(f, "one of {}", values.join(", ")),
        }
    }
}

fn no_type(text: &str) -> String {
    let forms = ["list<string>", "map<string>"];
    let told = match suggest::nearest(text, PLAIN.into_iter().chain(forms)) {
        Some(meant) => format!("; did you mean \"{meant}\"?"),
        None => String::new(),
    };
    let known = PLAIN.join(", ");
    format!(
        "must be {known}, list<…>, map<…> or {{enum: […]}}, with a ? at its end if it may be missing{told}"
    )
}

/// Returns true for a time of RFC 3339 in the spelling that Protocol Buffers read, too.
fn is_timestamp(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T')
        && !text.ends_with('z')
        && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> ClaimType {
        ClaimType::parse(text).unwrap().0
    }

    #[test]
    fn a_type_is_written_as_it_is_read() {
        for text in ["string", "bool", "int", "double", "timestamp", "list<int>", "map<list<string>>"] {
            assert_eq!(parse(text).to_string(), text);
            assert_eq!(ClaimType::parse(&format!("{text}?")), Ok((parse(text), true)));
        }
        let deepest = |levels| format!("{}int{}", "list<".repeat(levels), ">".repeat(levels));
        assert!(ClaimType::parse(&deepest(MAX_NESTING)).is_ok());
        assert!(ClaimType::parse(&deepest(MAX_NESTING + 1)).unwrap_err().contains("at most 8 levels"));
    }

    #[test]
    fn what_is_no_type_is_told_with_what_to_write() {
        for (bad, told) in [
            ("strng", Some("did you mean \"string\"?")),
            ("Bool", Some("did you mean \"bool\"?")),
            ("number", None),
            ("", None),
            ("list", None),
            ("list<>", None),
            ("list<string?>", None),
            ("list<int", None),
            ("string??", None),
            (" string", None),
            ("enum", None),
        ] {
            let fault = ClaimType::parse(bad).unwrap_err();
            assert!(
                fault.starts_with("must be string, bool, int, double, timestamp, list<…>"),
                "{bad}: {fault}"
            );
            assert!(told.is_none_or(|told| fault.ends_with(told)), "{bad}: {fault}");
        }
    }

    #[test]
    fn a_value_fits_its_type_alone() {
        let tier = ClaimType::Enum(vec!["free".to_owned(), "pro".to_owned()]);
        for (declared, good, bad) in [
            (parse("string"), json!([""]), json!([1, true, null, ["a"], {"a": "b"}])),
            (parse("bool"), json!([true, false]), json!(["true", 1, 0, null])),
            (
                parse("int"),
                json!([0, -7, 2.0, 9_007_199_254_740_992_u64]),
                json!([0.5, 9_007_199_254_740_993_u64, 1e300, "1", null]),
            ),
            (parse("double"), json!([0, 0.5, -1e15]), json!(["0.5", null, true, 1e300])),
            (
                parse("timestamp"),
                json!(["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456789+02:00"]),
                json!([
                    "2026-01-31",
                    "2026-01-31 12:00:00Z",
                    "2026-01-31t12:00:00Z",
                    "2026-01-31T12:00:00z",
                    "2026-01-31T12:00:00",
                    "2026-02-30T12:00:00Z",
                    1_769_860_800,
                    null,
                    ""
                ]),
            ),
            (parse("list<string>"), json!([[], ["a", "b"]]), json!([["a", 1], ["a", null], "a", {"0": "a"}])),
            (parse("map<int>"), json!([{}, {"a": 1}]), json!([{"a": "1"}, {"a": null}, [1], 1])),
            (parse("list<map<bool>>"), json!([[{"a": true}]]), json!([[{"a": 1}], [[true]]])),
            (tier, json!(["free", "pro"]), json!(["Free", "", 1, null, ["free"]])),
        ] {
            for value in good.as_array().unwrap() {
                assert!(declared.fits(value), "{declared}: {value}");
            }
            for value in bad.as_array().unwrap() {
                assert!(!declared.fits(value), "{declared}: {value}");
            }
        }
    }
}
