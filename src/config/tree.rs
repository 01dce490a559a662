//! The tree of settings as written: every node with the line or variable it came from. Variables are merged in here;
//! what a node means is for the typed readers, since only they know whether `[::1]:80` is an address or a list.

use super::fault::Origin;
use zeroize::Zeroizing;

/// A value and where it was written (`None`: the root of a tree without a file).
pub(super) struct Node {
    pub(super) origin: Option<Origin>,
    pub(super) value: Value,
    /// Of a text whose lines are lines of the file: the first of these.
    pub(super) first_line: Option<u64>,
}

pub(super) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(Zeroizing<String>),
    /// The text of a variable: its reader takes it as the type it wants.
    Variable(Zeroizing<String>),
    List(Vec<Node>),
    /// In the order written; a key may be there twice.
    Map(Vec<(String, Node)>),
}

impl Value {
    /// What it is, for "must be a number, not …".
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) | Self::Variable(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a section of keys",
        }
    }
}

impl Node {
    /// The tree of a configuration in which nothing is written.
    pub(super) const EMPTY: Self = Self { origin: None, value: Value::Null, first_line: None };

    /// Puts `other` at `path` below this node, over what was there. What lies across the path stays, and `false` is
    /// answered: its own reader finds it to be no section, or the other variable is the one to name.
    pub(super) fn set(&mut self, path: &[String], other: Self) -> bool {
        let Some((key, rest)) = path.split_first() else {
            *self = other;
            return true;
        };
        if matches!(self.value, Value::Null) {
            self.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut self.value else { return false };
        if let Some((_, found)) = entries.iter_mut().find(|(name, _)| name == key) {
            return found.set(rest, other);
        }
        let mut fresh = Self { origin: other.origin.clone(), ..Self::EMPTY };
        let set = fresh.set(rest, other);
        entries.push((key.clone(), fresh));
        set
    }
}
