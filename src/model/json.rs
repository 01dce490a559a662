//! JSON as a token may hold it: one object, no name twice, bounded depth, numbers that every reader reads alike
//! (RFC 8259 section 4 and 6, RFC 7519 section 4). `serde_json` alone keeps the last of two equal names.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::claims::{MAX_DEPTH, whole_enough};

/// The text is not such an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonFault;

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a JSON object without duplicate names and of bounded depth")
    }
}

/// Reads one object and nothing after it.
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

/// Reads a value that may nest this deep.
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
                return Err(A::Error::custom("a name twice"));
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
    fn what_readers_might_read_differently_is_refused() {
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
}
