//! Faults of expressions, at compile time and at run time. A run-time message goes to the log: it contains words of the
//! expression and names of types, but no value that the expression read.

use std::fmt;

use cel::ExecutionError;

use super::names::{BUDGET_TYPE, PATTERN_TYPE, RECORD_TYPE};

/// A fault of an expression, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CelFault {
    /// The line, from 1.
    pub line: usize,
    /// The column in that line, from 1, in characters.
    pub column: usize,
    /// The fault, and what to write instead.
    pub message: String,
}

impl fmt::Display for CelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// The name under which the functions of this crate report messages that may be logged unchanged.
pub(super) const OURS: &str = "gatepass";

/// Makes the failure of a function of this crate.
pub(super) fn failed(what: &str) -> ExecutionError {
    ExecutionError::function_error(OURS, what)
}

/// Makes the message about a failed run.
#[expect(clippy::wildcard_enum_match_arm, reason = "what else is there quotes values")]
pub(super) fn cause(error: &ExecutionError, source: &str) -> String {
    let say = |what: &str| what.to_owned();
    match error {
        // A key may be a value, too.
        ExecutionError::NoSuchKey(key) if source.contains(key.as_str()) => format!("no such key: {key}"),
        ExecutionError::NoSuchKey(_) => say("no such key"),
        ExecutionError::NoSuchOverload(overload) => match overload.function().strip_prefix('@') {
            None => overload.to_string(),
            // The name of a function of this crate that replaces the written one.
            Some(function) => {
                let types = overload.argument_types().iter().map(String::as_str);
                let types = types.filter(|name| *name != BUDGET_TYPE.name());
                let types: Vec<_> =
                    types.map(|name| if name == PATTERN_TYPE.name() { "string" } else { name }).collect();
                ExecutionError::no_such_overload(function, types.into_iter().map(str::to_owned).collect())
                    .to_string()
            }
        },
        ExecutionError::UndeclaredReference(name) => format!("unknown variable {name}"),
        ExecutionError::UnexpectedType { got, .. } if got == RECORD_TYPE.name() => {
            say("must not return a whole user, account, client or session; select its fields")
        }
        ExecutionError::UnexpectedType { got, want } => format!("found {got}, expected {want}"),
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("{operator} does not support these values")
        }
        ExecutionError::ValuesNotComparable(..) => say("the values cannot be compared"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => say("division by zero"),
        ExecutionError::Overflow(operator, ..) => format!("{operator} overflows"),
        ExecutionError::IndexOutOfBounds(_) => say("index out of bounds"),
        ExecutionError::DuplicateKey(_) => say("duplicate key in a map"),
        ExecutionError::FunctionError { function, message } if function == OURS => message.clone(),
        ExecutionError::FunctionError { function, .. } => format!("{function}() cannot convert its argument"),
        _ => say("cannot be evaluated"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_time_messages_quote_the_expression_and_no_values() {
        let secret = || cel::Value::from("s3cret");
        for (error, told) in [
            (ExecutionError::no_such_key("groups"), "no such key: groups"),
            (ExecutionError::no_such_key("s3cret"), "no such key"),
            (ExecutionError::DivisionByZero(secret()), "division by zero"),
            (ExecutionError::ValuesNotComparable(secret(), secret()), "the values cannot be compared"),
            (
                ExecutionError::UnsupportedBinaryOperator("add", secret(), secret()),
                "add does not support these values",
            ),
            (ExecutionError::function_error("int", "s3cret is none"), "int() cannot convert its argument"),
            (ExecutionError::UnsupportedKeyType(secret()), "cannot be evaluated"),
            (failed("costs too much"), "costs too much"),
        ] {
            assert_eq!(cause(&error, "size(profile.groups) > 0"), told);
        }
    }
}
