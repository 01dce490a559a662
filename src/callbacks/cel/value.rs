//! JSON as CEL values. A claim map is read in place. A value that is taken out of it has a type of the library, so that
//! all operators work, and borrows the texts.

use std::collections::HashMap;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt, MAP_TYPE, Type,
};
use cel::common::value::{CowVal, Val};
use serde_json::Value;

use super::budget::Budget;
use crate::model::ClaimMap;

/// Values are boxed: the library takes any type of them.
pub(super) type Boxed<'v> = Box<dyn Val + 'v>;

/// A JSON value.
pub(super) fn from_json(value: &Value) -> Boxed<'_> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => from_number(number),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => Box::new(CelList::from(items.iter().map(from_json).collect::<Vec<_>>())),
        Value::Object(map) => Box::new(from_map(map)),
    }
}

/// A JSON object, all of it.
pub(super) fn from_map(map: &ClaimMap) -> CelMap<'_> {
    let entry = |(name, value)| (CelMapKey::String(CelString::from(String::as_str(name))), from_json(value));
    CelMap::from(map.iter().map(entry).collect::<HashMap<_, _>>())
}

fn from_number(number: &serde_json::Number) -> Boxed<'static> {
    if let Some(whole) = number.as_i64() {
        Box::new(CelInt::from(whole))
    } else if let Some(whole) = number.as_u64() {
        Box::new(CelUInt::from(whole))
    } else {
        Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
    }
}

/// Returns the number of values that make up a JSON value; their texts are borrowed.
pub(super) fn json_weight(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        Value::Array(items) => items.iter().fold(1, |sum, item| sum + json_weight(item)),
        Value::Object(map) => map_weight(map),
    }
}

/// Returns the number of values that make up a JSON object.
pub(super) fn map_weight(map: &ClaimMap) -> u64 {
    map.values().fold(1, |sum, value| sum + json_weight(value))
}

/// A claim map that is read in place: each value is made when it is read, and charged for if it holds others.
#[derive(Debug, Clone)]
pub(super) struct View<'v> {
    map: &'v ClaimMap,
    budget: &'v Budget,
}

impl<'v> View<'v> {
    pub(super) fn new(map: &'v ClaimMap, budget: &'v Budget) -> Self {
        Self { map, budget }
    }
}

impl Val for View<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        static MAP: Type = MAP_TYPE;
        &MAP
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn clone_as_boxed<'w>(&self) -> Boxed<'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Container for View<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.map.contains_key(name(key)?))
    }
}

impl<'v> Indexer for View<'v> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = name(key)?;
        let found: &'v Value = self.map.get(name).ok_or_else(|| ExecutionError::no_such_key(name))?;
        if found.is_array() || found.is_object() {
            self.budget.charge(json_weight(found))?;
        }
        Ok(CowVal::Owned(from_json(found)))
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Boxed<'w>, ExecutionError>
    where
        Self: 'w,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

/// The key of a JSON object: a text.
pub(super) fn name(key: &dyn Val) -> Result<&str, ExecutionError> {
    key.downcast_ref::<CelString>().map(CelString::inner).ok_or_else(|| ExecutionError::UnexpectedType {
        got: key.get_type().name().to_owned(),
        want: "string".to_owned(),
    })
}
