//! The definition of a setting.

use super::shape::Shape;
use crate::config::reader::{Setting, Value, parse};

/// A setting.
pub(in crate::config) struct Entry<K> {
    /// Its path; `[]` stands for every item of a list: `callers[].id`.
    pub(in crate::config) path: &'static str,
    /// Its type with bounds and unit. The kind also says whether it is a secret.
    pub(in crate::config) kind: K,
    pub(in crate::config) absent: Absent,
    /// One or two sentences in Markdown.
    pub(in crate::config) doc: &'static str,
}

/// The rule for a setting that is not written.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) enum Absent {
    /// It has this value, in YAML.
    Default(&'static str),
    /// It must be written; the text says what to write.
    Required(&'static str),
    /// It has no value; the text says what applies then.
    Means(&'static str),
}

/// A type of values that describes its shape.
pub(in crate::config) trait Shaped: Sync {
    fn shape(&self) -> Shape;
}

/// A type of values that can be read.
pub(in crate::config) trait Kind: Shaped {
    type Value;

    /// Reads the value of a setting; returns `None` after a fault.
    fn read(&self, setting: Setting) -> Option<Self::Value>;
}

/// A setting among others.
pub(in crate::config) type AnyEntry = &'static dyn Described;

/// An entry of any kind, as far as documents need it.
pub(in crate::config) trait Described: Sync {
    fn path(&self) -> &'static str;
    fn shape(&self) -> Shape;
    fn absent(&self) -> Absent;
    fn doc(&self) -> &'static str;

    /// Returns the last part of the path: the key in its section.
    fn key(&self) -> &'static str {
        self.path().rsplit('.').next().unwrap_or_default()
    }

    /// Returns the value that applies if the setting is not written.
    fn default(&self) -> Option<Value> {
        let Absent::Default(text) = self.absent() else { return None };
        parse(text.as_bytes(), &|_| None).ok().flatten().map(|node| node.value)
    }

    /// Returns the path of the enclosing section, without `[]`; empty for a topmost setting.
    fn parent(&self) -> &'static str {
        let parent = self.path().rsplit_once('.').map_or("", |(parent, _)| parent);
        parent.strip_suffix("[]").unwrap_or(parent)
    }
}

impl<K: Shaped> Described for Entry<K> {
    fn path(&self) -> &'static str {
        self.path
    }

    fn shape(&self) -> Shape {
        self.kind.shape()
    }

    fn absent(&self) -> Absent {
        self.absent
    }

    fn doc(&self) -> &'static str {
        self.doc
    }
}
