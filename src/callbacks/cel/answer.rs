//! Reads the value of an expression as a decision, a URL, a claim or a field of a profile. Any other value is a
//! failure.
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever is not of the wanted kind is a failure alike")]

use cel::Value as CelValue;
use cel::objects::{Key, OptionalValue};
use serde_json::{Number, Value};

use crate::auth::{Denial, SignInDecision};
use crate::model::claims::whole_enough;
use crate::model::{ClaimMap, DenialReason};

/// A value, or the reason why it is not of the wanted kind.
type Answer<T> = Result<T, String>;

/// Reads a decision: true, false, or the URL to go to first.
pub(super) fn decision(value: CelValue) -> Answer<SignInDecision> {
    match value {
        CelValue::Bool(true) => Ok(SignInDecision::Allow),
        CelValue::Bool(false) => {
            Ok(SignInDecision::Deny(Denial { reason: DenialReason::CallbackDenied, detail: None }))
        }
        CelValue::String(place) => Ok(SignInDecision::Redirect(place.to_string())),
        other => Err(format!("must return true, false or a URL, not {}", kind(&other))),
    }
}

/// Reads the URL to go to.
pub(super) fn place(value: CelValue) -> Answer<String> {
    match value {
        CelValue::String(place) => Ok(place.to_string()),
        other => Err(format!("must return a URL, not {}", kind(&other))),
    }
}

/// Reads a claim. An optional without a value leaves the claim unchanged.
pub(super) fn claim(value: CelValue) -> Answer<Option<Value>> {
    match <&OptionalValue>::try_from(&value) {
        Ok(optional) => optional.value().map(json).transpose(),
        Err(_) => json(&value).map(Some),
    }
}

/// Reads a text; an empty one is none.
pub(super) fn text(value: CelValue) -> Answer<Option<String>> {
    said(&value, |value| match value {
        CelValue::String(text) if text.is_empty() => Ok(None),
        CelValue::String(text) => Ok(Some(text.to_string())),
        other => Err(format!("must return text or null, not {}", kind(other))),
    })
}

/// Reads an id: a text, or a whole number in decimal digits.
pub(super) fn id(value: CelValue) -> Answer<Option<String>> {
    said(&value, |value| match value {
        CelValue::String(text) if text.is_empty() => Ok(None),
        CelValue::String(text) => Ok(Some(text.to_string())),
        CelValue::Int(whole) => Ok(Some(whole.to_string())),
        CelValue::UInt(whole) => Ok(Some(whole.to_string())),
        other => Err(format!("must return text, a whole number or null, not {}", kind(other))),
    })
}

/// Reads true or false; none is false.
pub(super) fn flag(value: CelValue) -> Answer<bool> {
    let answer = said(&value, |value| match value {
        CelValue::Bool(flag) => Ok(Some(*flag)),
        other => Err(format!("must return true, false or null, not {}", kind(other))),
    });
    answer.map(|flag| flag.unwrap_or(false))
}

/// Reads a value that may be null, or an optional that may have none.
fn said<T>(value: &CelValue, read: impl FnOnce(&CelValue) -> Answer<Option<T>>) -> Answer<Option<T>> {
    let value = match <&OptionalValue>::try_from(value) {
        Ok(optional) => optional.value(),
        Err(_) => Some(value),
    };
    match value {
        None | Some(CelValue::Null) => Ok(None),
        Some(value) => read(value),
    }
}

fn json(value: &CelValue) -> Answer<Value> {
    Ok(match value {
        CelValue::Null => Value::Null,
        CelValue::Bool(value) => Value::Bool(*value),
        CelValue::String(text) => Value::String(text.to_string()),
        CelValue::Int(whole) => number((*whole).into())?,
        CelValue::UInt(whole) => number((*whole).into())?,
        CelValue::Float(real) => number(Number::from_f64(*real).ok_or("must be a finite number")?)?,
        CelValue::Timestamp(time) => {
            Value::String(time.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
        }
        CelValue::List(items) => Value::Array(items.iter().map(json).collect::<Answer<_>>()?),
        CelValue::Map(map) => {
            let entries = map.map.iter().map(|(key, value)| match key {
                Key::String(key) => Ok((key.to_string(), json(value)?)),
                Key::Int(_) | Key::Uint(_) | Key::Bool(_) => {
                    Err("must return maps with string keys".to_owned())
                }
            });
            Value::Object(entries.collect::<Answer<ClaimMap>>()?)
        }
        other => return Err(format!("must be a JSON value, not {}", kind(other))),
    })
}

fn number(number: Number) -> Answer<Value> {
    if whole_enough(&number) {
        Ok(Value::Number(number))
    } else {
        Err("must not be a number beyond 2^53; write string(…)".to_owned())
    }
}

/// The kind of a value, for the author of the expression.
fn kind(value: &CelValue) -> String {
    match value {
        CelValue::Opaque(_) => "an optional; add .orValue(…)".to_owned(),
        CelValue::Duration(_) => "a duration; write string(…)".to_owned(),
        CelValue::Float(_) => "double".to_owned(),
        other => other.type_of().to_string(),
    }
}
