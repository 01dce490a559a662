//! One case: the input of a callback as JSON, and the outcome that is expected.

use serde::Deserialize;
use serde_json::Value;

use super::input::Input;

/// A test case.
pub struct Case {
    /// The name that its author gave it.
    pub name: Option<String>,
    pub(super) input: Input,
    expect: Option<Value>,
}

/// A case as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    callback: Name,
    #[serde(default)]
    input: serde_json::Map<String, Value>,
    expect: Option<serde_json::Map<String, Value>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    SignIn,
    Jwt,
    Session,
    Redirect,
}

/// The keys of all outcomes.
const OUTCOMES: &[&str] = &["allow", "deny", "detail", "redirect", "claims", "url", "error"];

impl Case {
    /// Reads one case, or a list of them. An error names the invalid case.
    pub fn read(json: &[u8]) -> Result<Vec<Self>, String> {
        let one = json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[');
        let written: Vec<Value> = if one {
            vec![serde_json::from_slice(json).map_err(|error| error.to_string())?]
        } else {
            serde_json::from_slice(json).map_err(|error| error.to_string())?
        };
        if written.is_empty() {
            return Err("contains no case".to_owned());
        }
        let cases = written.into_iter().enumerate();
        cases.map(|(at, case)| Self::of(case).map_err(|fault| format!("case {}: {fault}", at + 1))).collect()
    }

    fn of(written: Value) -> Result<Self, String> {
        let written = Written::deserialize(written).map_err(|error| error.to_string())?;
        let unknown = written.expect.iter().flat_map(serde_json::Map::keys);
        if let Some(key) = unknown.into_iter().find(|key| !OUTCOMES.contains(&key.as_str())) {
            return Err(format!("expect: unknown key {key:?}; write one of {}", OUTCOMES.join(", ")));
        }
        let input = Value::Object(written.input);
        let input = match written.callback {
            Name::SignIn => Input::sign_in(&input),
            Name::Jwt => Input::jwt(&input),
            Name::Session => Input::session(&input),
            Name::Redirect => Input::redirect(&input),
        };
        Ok(Self { name: written.name, input: input?, expect: written.expect.map(Value::Object) })
    }

    /// Returns the expected outcome if it differs from this one. Of an error, a part of the text is expected.
    #[must_use]
    pub fn unmet(&self, outcome: &Value) -> Option<&Value> {
        let expected = self.expect.as_ref()?;
        let met = match (expected.get("error").and_then(Value::as_str), outcome.get("error")) {
            (Some(part), Some(Value::String(told))) => told.contains(part),
            _ => expected == outcome,
        };
        (!met).then_some(expected)
    }

    /// Returns true if an outcome is expected.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.expect.is_some()
    }
}
