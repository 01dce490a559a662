//! Conversion between `google.protobuf.Struct` and JSON. A Struct's numbers are doubles. Whole numbers up to 2^53
//! become JSON integers; larger ones are not exact, so claims reject them.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::{Number, Value};

use crate::model::ClaimMap;
use crate::model::claims::MAX_INTEGER;

/// Converts a Struct to JSON; returns `None` if a number is not finite.
pub(crate) fn read_struct(message: Struct) -> Option<ClaimMap> {
    message.fields.into_iter().map(|(name, value)| Some((name, read_value(value)?))).collect()
}

fn read_value(value: ProtoValue) -> Option<Value> {
    Some(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::NumberValue(value)) => Value::Number(read_number(value)?),
        Some(Kind::StringValue(value)) => Value::String(value),
        Some(Kind::ListValue(list)) => {
            Value::Array(list.values.into_iter().map(read_value).collect::<Option<_>>()?)
        }
        Some(Kind::StructValue(inner)) => Value::Object(read_struct(inner)?),
    })
}

fn read_number(value: f64) -> Option<Number> {
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact in a double")]
    let whole = value.fract() == 0.0 && value.abs() <= MAX_INTEGER as f64;
    if whole {
        #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Converts JSON to a Struct.
pub(crate) fn write_struct(claims: &ClaimMap) -> Struct {
    Struct { fields: claims.iter().map(|(name, value)| (name.clone(), write_value(value))).collect() }
}

fn write_value(value: &Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        Value::String(value) => Kind::StringValue(value.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(write_value).collect() }),
        Value::Object(map) => Kind::StructValue(write_struct(map)),
    };
    ProtoValue { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_goes_there_and_back() {
        let Value::Object(map) =
            json!({"a": [1, -2, 0.5, "x", null, true], "b": {"c": 9_007_199_254_740_992_u64}})
        else {
            panic!("an object")
        };
        assert_eq!(read_struct(write_struct(&map)), Some(map));
    }

    #[test]
    fn non_finite_numbers_are_rejected() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let value = ProtoValue { kind: Some(Kind::NumberValue(number)) };
            assert_eq!(read_struct(Struct { fields: [("a".to_owned(), value)].into() }), None);
        }
    }
}
