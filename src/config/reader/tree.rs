//! The tree of settings as written: every node with its line or variable. Variables are merged in here. The typed
//! readers interpret the nodes, since only they know whether `[::1]:80` is an address or a list.

use super::fault::Origin;
use zeroize::Zeroizing;

/// A value and the place where it was written (`None`: the root of a tree without a file).
pub(in crate::config) struct Node {
    pub(in crate::config) origin: Option<Origin>,
    pub(in crate::config) value: Value,
    /// The first line of a text that the file writes line by line.
    pub(in crate::config) first_line: Option<u64>,
}

pub(in crate::config) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(Zeroizing<String>),
    /// The text of a variable; its reader parses it as the type that it needs.
    Variable(Zeroizing<String>),
    List(Vec<Node>),
    /// In the order written; a key may occur twice.
    Map(Vec<(String, Node)>),
}

impl Value {
    /// Returns its kind in words, for "must be a number, not …".
    pub(in crate::config) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) | Self::Variable(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a section of keys",
        }
    }

    /// Returns true if both are the same text.
    pub(in crate::config) fn is_same_text(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one) | Self::Variable(one), Self::Text(other) | Self::Variable(other)) => {
                one == other
            }
            _ => false,
        }
    }
}

impl Node {
    /// The tree of an empty configuration.
    pub(in crate::config) const EMPTY: Self = Self { origin: None, value: Value::Null, first_line: None };

    /// Puts `other` at `path` below this node, over the previous value. If that is impossible, it returns a message and
    /// changes nothing: another setting or variable blocks the path.
    pub(in crate::config) fn set(&mut self, path: &[String], other: Self) -> Result<(), &'static str> {
        let Some((key, rest)) = path.split_first() else {
            *self = other;
            return Ok(());
        };
        if matches!(self.value, Value::Null) {
            self.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut self.value else {
            return Err("is set inside a value that is not a section of keys");
        };
        if let Some(at) = place(entries, key)? {
            return entries[at].1.set(rest, other);
        }
        let mut fresh = Self { origin: other.origin.clone(), ..Self::EMPTY };
        let set = fresh.set(rest, other);
        entries.push((key.clone(), fresh));
        set
    }
}

/// Finds the key of a variable among these, ignoring case: the name of a variable does not preserve the case of a
/// claim's name.
fn place(entries: &[(String, Node)], key: &str) -> Result<Option<usize>, &'static str> {
    let exact = entries.iter().position(|(name, _)| name == key);
    let alike = |name: &str| name.eq_ignore_ascii_case(key);
    let found = exact.or_else(|| entries.iter().position(|(name, _)| alike(name)));
    let has_a_twin = |at: usize| entries.iter().any(|(name, _)| alike(name) && *name != entries[at].0);
    if exact.is_none() && found.is_some_and(has_a_twin) {
        return Err(
            "is the name of several keys there, which differ only in case; keep one, or set the whole section",
        );
    }
    Ok(found)
}
