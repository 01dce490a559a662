//! The JSON Schema of the configuration file.

use super::outline::{Branch, outline};
use crate::config::entry::{Absent, Shape};
use crate::config::reader;
use serde_json::{Map, Value, json};

/// Returns the JSON Schema (2020-12) of the configuration file. It describes each setting by itself; only reading
/// checks the combinations of settings.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object(&outline());
    if let Value::Object(fields) = &mut schema {
        fields.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.insert("title".to_owned(), "Gatepass".into());
    }
    schema
}

fn object(children: &[Branch]) -> Value {
    let properties: Map<_, _> =
        children.iter().map(|child| (child.entry.key().to_owned(), property(child))).collect();
    let is_required = |child: &&Branch| matches!(child.entry.absent(), Absent::Required(_));
    let required: Vec<_> = children.iter().filter(is_required).map(|child| child.entry.key()).collect();
    // A key without a value is an empty section.
    let kind = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    json!({"type": kind, "properties": properties, "required": required, "additionalProperties": false})
}

fn property(branch: &Branch) -> Value {
    let (shape, entry) = (branch.entry.shape(), branch.entry);
    let mut schema = of_shape(&shape, &branch.children);
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), entry.doc().into());
        if let Some(default) = entry.default().filter(|_| !matches!(shape, Shape::Section)) {
            fields.insert("default".to_owned(), to_json(&default));
        }
    }
    schema
}

fn of_shape(shape: &Shape, children: &[Branch]) -> Value {
    let text = || json!({"type": "string", "minLength": 1});
    let alone = |key: &str| json!({"type": "object", "properties": {key: text()}, "required": [key], "additionalProperties": false});
    match shape {
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer { least, most, .. } => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Duration { .. } => json!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}),
        Shape::Choice(names) => json!({"enum": names}),
        Shape::Text { pattern: Some(pattern), .. } => json!({"type": "string", "pattern": pattern}),
        Shape::Text { pattern: None, .. } | Shape::Expression => text(),
        Shape::Secret => json!({"anyOf": [text(), alone("env"), alone("file")], "writeOnly": true}),
        Shape::File => json!({"anyOf": [text(), alone("file")]}),
        Shape::Section => object(children),
        Shape::List { least, most, item } => {
            let unique = !matches!(**item, Shape::Section);
            let mut list = json!({
                "type": "array", "items": of_shape(item, children), "minItems": least, "uniqueItems": unique,
            });
            if let (Some(most), Value::Object(fields)) = (most, &mut list) {
                fields.insert("maxItems".to_owned(), json!(most));
            }
            list
        }
        Shape::Map { most, value } => {
            json!({"type": "object", "additionalProperties": of_shape(value, children), "maxProperties": most})
        }
        Shape::Fields { names, value } => {
            let field = |name: &&str| ((*name).to_owned(), of_shape(value, children));
            let fields: Map<_, _> = names.iter().map(field).collect();
            json!({"type": "object", "properties": fields, "additionalProperties": false})
        }
        Shape::Either(one, other) => json!({"anyOf": [of_shape(one, children), of_shape(other, children)]}),
    }
}

fn to_json(value: &reader::Value) -> Value {
    match value {
        reader::Value::Null => Value::Null,
        reader::Value::Bool(value) => json!(value),
        reader::Value::Number(text) => text.parse::<u64>().map_or(Value::Null, |number| json!(number)),
        reader::Value::Text(text) | reader::Value::Variable(text) => json!(text.as_str()),
        reader::Value::List(items) => items.iter().map(|node| to_json(&node.value)).collect(),
        reader::Value::Map(entries) => {
            Value::Object(entries.iter().map(|(key, node)| (key.clone(), to_json(&node.value))).collect())
        }
    }
}
