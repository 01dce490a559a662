//! The effective configuration, as it is printed.

use super::spelling;
use crate::config::entries;
use crate::config::entry::Described;
use crate::config::reader::{Node, Value};
use std::fmt;
use std::sync::Arc;

/// The effective values, in YAML; none of them is a secret.
#[derive(Clone, Default)]
pub(in crate::config) struct Effective(Arc<str>);

impl Effective {
    /// Collects values by their paths. Of two values at one path the last one counts.
    pub(in crate::config) fn of(mut values: Vec<(String, Value)>) -> Self {
        let order: Vec<_> = entries::all().into_iter().map(Described::path).collect();
        let place = |path: &str| order.iter().position(|listed| *listed == without_indexes(path));
        // The sort is stable, and a section is listed before its content.
        values.sort_by_key(|(path, _)| place(path).unwrap_or(order.len()));
        let mut root = Value::Map(Vec::new());
        for (path, value) in values {
            *at(&mut root, &path) = value;
        }
        let text = spelling::spell(&root, 0);
        Self(format!("{}\n", text.trim_start_matches('\n')).into())
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Effective")
    }
}

/// Returns the path of the entry: `callers[].id` for `callers[0].id`.
fn without_indexes(path: &str) -> String {
    let parts = path.split('[').enumerate().map(|(at, part)| match part.split_once(']') {
        Some((_, rest)) if at > 0 => format!("[]{rest}"),
        _ => part.to_owned(),
    });
    parts.collect()
}

/// Returns the value at a path such as `callers[0].id`; creates it if it is missing.
fn at<'a>(root: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').fold(root, |value, part| {
        let mut names = part.split('[');
        let value = key(value, names.next().unwrap_or_default());
        names.fold(value, |value, index| item(value, index.trim_end_matches(']').parse().unwrap_or(0)))
    })
}

fn key<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !matches!(value, Value::Map(_)) {
        *value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = value else { return value };
    let found = entries.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        entries.push((name.to_owned(), Node::EMPTY));
        entries.len() - 1
    });
    &mut entries[found].1.value
}

fn item(value: &mut Value, index: usize) -> &mut Value {
    if !matches!(value, Value::List(_)) {
        *value = Value::List(Vec::new());
    }
    let Value::List(items) = value else { return value };
    while items.len() <= index {
        items.push(Node::EMPTY);
    }
    &mut items[index].value
}
