//! Values as YAML, in block style.

use crate::config::reader::{Node, Value, parse};

/// The sign for a secret: the place of its value stays empty, which every reader rejects.
const HIDDEN: &str = " # hidden";

/// Returns the spelling of a value that follows `key:` or `-` at this depth: on the same line, or on lines of its own.
pub(super) fn spell(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => HIDDEN.to_owned(),
        Value::Bool(value) => format!(" {value}"),
        Value::Number(text) => format!(" {text}"),
        Value::Text(text) | Value::Variable(text) => format!(" {}", scalar(text)),
        Value::List(items) if items.is_empty() => " []".to_owned(),
        Value::Map(entries) if entries.is_empty() => " {}".to_owned(),
        Value::List(items) => items.iter().map(|node| item(&node.value, depth)).collect(),
        Value::Map(entries) => entries.iter().map(|(key, node)| entry(key, &node.value, depth)).collect(),
    }
}

/// Returns a line with a key and its value, preceded by a line end.
pub(super) fn entry(key: &str, value: &Value, depth: usize) -> String {
    format!("\n{}{}:{}", "  ".repeat(depth), scalar(key), spell(value, depth + 1))
}

fn item(value: &Value, depth: usize) -> String {
    format!("\n{}-{}", "  ".repeat(depth), spell(value, depth + 1))
}

/// Returns text unquoted if YAML reads it back unchanged, otherwise in quotes.
fn scalar(text: &str) -> String {
    let list = format!("[{text}]");
    let is_plain = match parse(list.as_bytes(), &|_| None) {
        Ok(Some(Node { value: Value::List(items), .. })) => match items.as_slice() {
            [Node { value: Value::Text(read), .. }] => read.as_str() == text,
            _ => false,
        },
        _ => false,
    };
    let is_quoted = text.starts_with(['"', '\'', '|', '>', '-', '?']);
    if is_plain && !is_quoted && !text.contains(": ") && !text.ends_with(':') {
        text.to_owned()
    } else {
        serde_json::to_string(text).unwrap_or_default()
    }
}
