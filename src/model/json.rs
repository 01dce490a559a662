//! Strict JSON for tokens: one object, unique names, bounded depth, and numbers that every parser reads alike. The
//! rules are those of RFC 8259 sections 4 and 6, and RFC 7519 section 4. `serde_json` alone accepts duplicate names and
//! keeps the last.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::claims::{MAX_DEPTH, whole_enough};

/// The text is not a valid JSON object by these rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonFault;

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a JSON object without duplicate names and of bounded depth")
    }
}

/// Parses exactly one object; trailing data is an error.
pub fn parse_object(json: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = Strict { depth: MAX_DEPTH + 2 }.deserialize(&mut reader).map_err(|_| JsonFault)?;
    reader.end().map_err(|_| JsonFault)?;
    match value {
        Value::Object(map) => Ok(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(JsonFault)
        }
    }
}

/// Parses an object written by another system, such as a provider's profile. A number that some parsers would misread
/// becomes a string. It may be an id, which must be neither rejected nor rounded to another one.
pub fn parse_object_leniently(json: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    parse_object(&with_large_numbers_quoted(json))
}

/// Parses an array in the same way.
pub fn parse_array_leniently(json: &[u8]) -> Result<Vec<Value>, JsonFault> {
    let mut wrapped = b"{\"\":".to_vec();
    wrapped.extend(with_large_numbers_quoted(json));
    wrapped.push(b'}');
    let mut object = parse_object(&wrapped)?;
    match object.remove("") {
        Some(Value::Array(items)) if object.is_empty() => Ok(items),
        _ => Err(JsonFault),
    }
}

fn with_large_numbers_quoted(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + 16);
    let mut rest = json;
    while let Some(&first) = rest.first() {
        let token = match first {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => number_length(rest),
            _ => 1,
        };
        let (token, after) = rest.split_at(token);
        let is_number = matches!(first, b'-' | b'0'..=b'9');
        if is_number && is_large_number(token) && !is_before_colon(after) {
            out.push(b'"');
            out.extend(token);
            out.push(b'"');
        } else {
            out.extend(token);
        }
        rest = after;
    }
    out
}

/// Tells whether a colon follows, so that the token before it is a member name.
fn is_before_colon(after: &[u8]) -> bool {
    after.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// Returns the length of the string that begins here, including its quotes.
fn string_length(json: &[u8]) -> usize {
    let mut escaped = true;
    for (place, byte) in json.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    json.len()
}

fn number_length(json: &[u8]) -> usize {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    json.iter().position(|byte| !is_of_number(byte)).unwrap_or(json.len())
}

/// Tells whether this is a JSON number (RFC 8259 section 6) that [`parse_object`] rejects.
fn is_large_number(token: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(token) else { return false };
    match serde_json::from_str::<Number>(token) {
        Ok(number) => !whole_enough(&number),
        // The spelling is a number, but it exceeds the range of a double, so `serde_json` rejects it.
        Err(fault) => fault.to_string().starts_with("number out of range"),
    }
}

/// Parses a value up to this nesting depth.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.depth.checked_sub(1).map(|depth| Self { depth }).ok_or_else(|| E::custom("too deep"))
    }
}

fn number<E: Error>(number: Number) -> Result<Value, E> {
    if whole_enough(&number) { Ok(Value::Number(number)) } else { Err(E::custom("number beyond 2^53")) }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        number(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        number(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        number(Number::from_f64(value).ok_or_else(|| E::custom("not finite"))?)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key_seed(Name)? {
            let value = entries.next_value_seed(inner)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a duplicate name"));
            }
        }
        Ok(Value::Object(map))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<String, D::Error> {
        String::deserialize(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_is() {
        let map = parse_object(br#"{"a":[1,-2,0.5,"x",null,true],"b":{"c":{}}}"#).unwrap();
        assert_eq!(
            Value::Object(map),
            serde_json::json!({"a": [1, -2, 0.5, "x", null, true], "b": {"c": {}}})
        );
    }

    #[test]
    fn ambiguous_json_is_rejected() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(64), "]".repeat(64));
        for bad in [
            "",
            "null",
            "1",
            "[]",
            "\"x\"",
            "{",
            "{} {}",
            "{}x",
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":1}}"#,
            r#"{"a":9007199254740993}"#,
            r#"{"a":1e400}"#,
            "{\"a\":\"\u{0}\"}",
            "{'a':1}",
            "{\"a\":1,}",
            &deep,
            "\u{feff}{}",
            "{\"a\":NaN}",
        ] {
            assert_eq!(parse_object(bad.as_bytes()), Err(JsonFault), "{bad}");
        }
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), Err(JsonFault));
    }

    #[test]
    fn a_large_number_is_read_as_text_if_requested() {
        for (json, wanted) in [
            (r#"{"id":9007199254740993}"#, r#"{"id":"9007199254740993"}"#),
            (r#"{"id":-9007199254740993 }"#, r#"{"id":"-9007199254740993"}"#),
            (r#"{"id":[123456789012345678901234567890]}"#, r#"{"id":["123456789012345678901234567890"]}"#),
            (
                r#"{"a":{"id":123456789012345678901234567891}}"#,
                r#"{"a":{"id":"123456789012345678901234567891"}}"#,
            ),
            (r#"{"a":1e300,"b":1e400}"#, r#"{"a":"1e300","b":"1e400"}"#),
            (r#"{"a":9007199254740992,"b":-1.5,"c":0}"#, r#"{"a":9007199254740992,"b":-1.5,"c":0}"#),
            (
                r#"{"9007199254740993":"a \" 9007199254740993"}"#,
                r#"{"9007199254740993":"a \" 9007199254740993"}"#,
            ),
            (r#"{"a\\":9007199254740993}"#, r#"{"a\\":"9007199254740993"}"#),
        ] {
            let map = parse_object_leniently(json.as_bytes()).unwrap_or_else(|_| panic!("{json}"));
            assert_eq!(Value::Object(map), serde_json::from_str::<Value>(wanted).unwrap(), "{json}");
        }
    }

    #[test]
    fn a_mebibyte_of_nothing_is_read_in_one_pass() {
        for filler in [" ", "\n", "\t \r"] {
            let nothing = filler.repeat((1 << 20) / filler.len());
            let object =
                format!("{nothing}{{{nothing}\"id\"{nothing}:{nothing}9007199254740993{nothing}}}{nothing}");
            let map = parse_object_leniently(object.as_bytes()).unwrap();
            assert_eq!(Value::Object(map), serde_json::json!({"id": "9007199254740993"}));
            let array = format!("{nothing}[{nothing}1{nothing}]{nothing}");
            assert_eq!(parse_array_leniently(array.as_bytes()).unwrap(), [1]);
        }
    }

    #[test]
    fn nothing_else_is_taken_because_a_number_is_large() {
        for bad in [
            r#"{"a":09007199254740993}"#,
            r#"{"a":--9007199254740993}"#,
            r#"{"a":9007199254740993.}"#,
            r#"{"a":9007199254740993e}"#,
            r"{9007199254740993:1}",
            r#"{"a":9007199254740993,"a":1}"#,
            r#"{"a":"9007199254740993}"#,
            "9007199254740993",
            "[]",
            "",
        ] {
            assert_eq!(parse_object_leniently(bad.as_bytes()), Err(JsonFault), "{bad}");
        }
        assert_eq!(parse_object_leniently(b"{\"a\":\"\xff\"}"), Err(JsonFault));
    }

    #[test]
    fn an_array_is_read_as_an_object_is() {
        let items = parse_array_leniently(br#" [{"id":9007199254740993}, 1] "#).unwrap();
        assert_eq!(Value::Array(items), serde_json::json!([{"id": "9007199254740993"}, 1]));
        for bad in ["", "{}", "1", "[1}", "[],\"b\":[]", "[{\"a\":1,\"a\":1}]", "[] []"] {
            assert_eq!(parse_array_leniently(bad.as_bytes()), Err(JsonFault), "{bad}");
        }
    }
}
