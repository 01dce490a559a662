//! The shape of a setting: its type in the documents, and the printed form of its value.

use crate::config::reader::{Node, Value, parse};
use std::time::Duration;
use zeroize::Zeroizing;

/// The type of a setting.
#[derive(Debug, Clone)]
pub(in crate::config) enum Shape {
    Boolean,
    /// A whole number with this unit.
    Integer {
        least: u64,
        most: u64,
        unit: &'static str,
    },
    Duration {
        least: Duration,
        most: Duration,
    },
    Choice(Vec<&'static str>),
    /// Text with this description; `pattern` is a regular expression for simple forms.
    Text {
        what: &'static str,
        pattern: Option<&'static str>,
    },
    /// A literal, `{env: NAME}` or `{file: PATH}`.
    Secret,
    /// The path of a PEM file, plain or as `{file: PATH}`.
    File,
    /// A CEL expression.
    Expression,
    /// A section; its keys are the entries below its path.
    Section,
    List {
        least: usize,
        most: Option<usize>,
        item: Box<Self>,
    },
    /// A section with arbitrary keys.
    Map {
        most: usize,
        value: Box<Self>,
    },
    /// A section with some of these keys, all of one type.
    Fields {
        names: Vec<&'static str>,
        value: Box<Self>,
    },
    /// The first shape, or the second as an alternative.
    Either(Box<Self>, Box<Self>),
}

impl Shape {
    /// Returns the printed form of a value. Variables appear as their values, a section without its keys, which their
    /// own entries print, and a secret only as its variable or file.
    pub(in crate::config) fn show(&self, value: &Value) -> Value {
        if let Value::Variable(text) = value {
            return self.show_variable(text);
        }
        match (self, value) {
            (Self::Section, _) => Value::Map(Vec::new()),
            (Self::Secret, Value::Map(_)) => copy(value),
            (Self::Secret, _) => Value::Null,
            (Self::List { item, .. }, Value::List(items)) => {
                Value::List(items.iter().map(|node| plain(item.show(&node.value))).collect())
            }
            (Self::Map { value: shape, .. } | Self::Fields { value: shape, .. }, Value::Map(entries)) => {
                let shown = |(key, node): &(String, Node)| (key.clone(), plain(shape.show(&node.value)));
                Value::Map(entries.iter().map(shown).collect())
            }
            (Self::Either(one, _), Value::Text(_) | Value::Number(_) | Value::Bool(_)) => one.show(value),
            (Self::Either(one, other), _) => {
                let structured = |shape: &Self| match value {
                    Value::List(_) => matches!(shape, Self::List { .. }),
                    _ => matches!(shape, Self::Section | Self::Fields { .. } | Self::Map { .. }),
                };
                if structured(one) { one.show(value) } else { other.show(value) }
            }
            _ => copy(value),
        }
    }

    /// Makes a value of this shape from its text.
    pub(in crate::config) fn spelt(&self, text: String) -> Value {
        match self {
            Self::Boolean => Value::Bool(text == "true"),
            Self::Integer { .. } => Value::Number(text),
            _ => Value::Text(Zeroizing::new(text)),
        }
    }

    fn show_variable(&self, text: &str) -> Value {
        let text = text.trim();
        if self.may_be_flow(text)
            && let Ok(Some(Node { value, .. })) = parse(text.as_bytes(), &|_| None)
        {
            return self.show(&value);
        }
        match self {
            Self::List { item, .. } => {
                let items = text.split(',').filter(|_| !text.is_empty());
                Value::List(items.map(|text| plain(item.show_variable(text))).collect())
            }
            Self::Either(one, _) => one.show_variable(text),
            Self::Secret => Value::Null,
            Self::Section => Value::Map(Vec::new()),
            _ => self.spelt(text.to_owned()),
        }
    }

    /// Returns true if the text of a variable is read as YAML.
    fn may_be_flow(&self, text: &str) -> bool {
        match self {
            Self::List { .. } => text.starts_with('['),
            Self::Secret | Self::File | Self::Section | Self::Map { .. } | Self::Fields { .. } => {
                text.starts_with('{')
            }
            Self::Either(one, other) => one.may_be_flow(text) || other.may_be_flow(text),
            _ => false,
        }
    }
}

fn plain(value: Value) -> Node {
    Node { origin: None, value, first_line: None }
}

fn copy(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(value) => Value::Bool(*value),
        Value::Number(text) => Value::Number(text.clone()),
        Value::Text(text) | Value::Variable(text) => Value::Text(text.clone()),
        Value::List(items) => Value::List(items.iter().map(|node| plain(copy(&node.value))).collect()),
        Value::Map(entries) => {
            let copied = |(key, node): &(String, Node)| (key.clone(), plain(copy(&node.value)));
            Value::Map(entries.iter().map(copied).collect())
        }
    }
}
