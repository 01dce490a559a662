//! Types in words.

use crate::config::entry::{Absent, Shape};
use crate::config::reader::spell;

/// Returns the type of a setting in a few words, with its bounds and unit.
pub(super) fn of_shape(shape: &Shape) -> String {
    match shape {
        Shape::Boolean => "`true` or `false`".to_owned(),
        Shape::Integer { least, most, unit } => format!("number of {unit}, {least} to {most}"),
        Shape::Duration { least, most } => format!("duration, {} to {}", spell(*least), spell(*most)),
        Shape::Choice(names) => format!("one of {}", names.join(", ")),
        Shape::Text { what, .. } => (*what).to_owned(),
        Shape::Secret => "secret: text, `{env: NAME}` or `{file: PATH}`".to_owned(),
        Shape::File => "path of a PEM file".to_owned(),
        Shape::Expression => "CEL expression".to_owned(),
        Shape::Section => "section".to_owned(),
        Shape::List { least: 0, most: None, item } => format!("list of any length: {}", of_shape(item)),
        Shape::List { least, most: None, item } => format!("list of {least} or more: {}", of_shape(item)),
        Shape::List { least, most: Some(most), item } => {
            format!("list of {least} to {most}: {}", of_shape(item))
        }
        Shape::Map { most, value } => format!("section of at most {most} names: {}", of_shape(value)),
        Shape::Fields { names, value } => format!("section of {}: {}", names.join(", "), of_shape(value)),
        Shape::Either(one, other) => format!("{}; or {}", of_shape(one), of_shape(other)),
    }
}

/// Returns the default in words.
pub(super) fn of_absent(absent: Absent) -> String {
    match absent {
        Absent::Default(text) => format!("`{text}`"),
        Absent::Required(_) => "required".to_owned(),
        Absent::Means(words) => words.to_owned(),
    }
}

/// Returns a placeholder for a value of this type.
pub(super) fn placeholder(shape: &Shape) -> String {
    match shape {
        Shape::Boolean => "true".to_owned(),
        Shape::Integer { least, .. } => least.to_string(),
        Shape::Duration { least, .. } => spell(*least),
        Shape::Choice(names) => names.first().copied().unwrap_or_default().to_owned(),
        Shape::Text { .. } => "TEXT".to_owned(),
        Shape::Secret => "{env: NAME}".to_owned(),
        Shape::File => "PATH".to_owned(),
        Shape::Expression => "EXPRESSION".to_owned(),
        Shape::Section => "{}".to_owned(),
        Shape::List { item, .. } => format!("[{}]", placeholder(item)),
        Shape::Map { value, .. } => format!("{{NAME: {}}}", placeholder(value)),
        Shape::Fields { names, value } => {
            format!("{{{}: {}}}", names.first().copied().unwrap_or_default(), placeholder(value))
        }
        Shape::Either(one, _) => placeholder(one),
    }
}
