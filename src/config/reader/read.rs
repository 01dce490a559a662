//! Cursors over the tree: a section hands out its settings one by one, and keys that remain are unknown. Faults are
//! collected in the context, so that reading continues after the first.

use super::context::Context;
use super::fault::Origin;
use super::tree::{Node, Value};
use crate::model::suggest;

/// A value at its path.
pub(in crate::config) struct Setting<'a> {
    pub(in crate::config) cx: &'a Context,
    pub(in crate::config) path: String,
    pub(in crate::config) value: Value,
    /// The first line of a text that the file writes line by line.
    first_line: Option<u64>,
}

impl<'a> Setting<'a> {
    pub(in crate::config) fn new(cx: &'a Context, path: String, node: Node) -> Self {
        if let Some(origin) = node.origin {
            cx.written_at(&path, origin);
        }
        Self { cx, path, value: node.value, first_line: node.first_line }
    }

    /// Records a fault of this value; returns the `None` that its reader returns.
    pub(in crate::config) fn refuse<T>(&self, message: impl Into<String>) -> Option<T> {
        self.cx.fault(&self.path, message);
        None
    }

    /// Records a fault at a place within this text: at its line of the file, if it has one.
    pub(in crate::config) fn refuse_within(&self, line: usize, column: usize, message: &str) {
        let origin = self.cx.origin(&self.path);
        let (origin, line) = match (origin, self.first_line) {
            (Some(Origin::File { name, .. }), Some(first)) => {
                let line = first + u64::try_from(line - 1).unwrap_or(0);
                (Some(Origin::File { name, line }), None)
            }
            (origin, _) => (origin, (line > 1).then_some(line)),
        };
        let line = line.map_or_else(String::new, |line| format!("line {line}, "));
        self.cx.fault_at(origin, &self.path, format!("{line}column {column}: {message}"));
    }

    /// Reads a section; keys that `read` does not take are faults. An empty section has every default.
    pub(in crate::config) fn section<T>(self, read: impl FnOnce(&mut Section<'a>) -> T) -> Option<T> {
        let setting = self.flow_if("{", "a section of keys")?;
        let entries = match setting.value {
            Value::Map(entries) => entries,
            Value::Null => Vec::new(),
            other => {
                let kind = other.kind();
                setting.cx.fault(&setting.path, format!("must be a section of keys, not {kind}"));
                return None;
            }
        };
        let mut section = Section::of(setting.cx, setting.path, entries);
        let answer = read(&mut section);
        section.refuse_what_is_left();
        Some(answer)
    }
}

/// A section of keys, while it is read.
pub(in crate::config) struct Section<'a> {
    pub(in crate::config) cx: &'a Context,
    pub(in crate::config) path: String,
    left: Vec<(String, Node)>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(in crate::config) fn of(cx: &'a Context, path: String, entries: Vec<(String, Node)>) -> Self {
        let mut section = Self { cx, path, left: Vec::new(), known: Vec::new() };
        for (key, node) in entries {
            section.add(key, node);
        }
        section
    }

    /// Makes a section of the whole configuration: its keys are the sections.
    pub(in crate::config) fn of_root(cx: &'a Context, root: Node) -> Self {
        let Value::Map(entries) = root.value else { return Self::of(cx, String::new(), Vec::new()) };
        Self::of(cx, String::new(), entries)
    }

    fn add(&mut self, key: String, node: Node) {
        match self.left.iter().find(|(name, _)| *name == key) {
            Some((_, first)) => {
                let first = first.origin.as_ref().map_or_else(String::new, ToString::to_string);
                let message = format!("given twice (first at {first}); keep one");
                self.cx.fault_at(node.origin, &self.path_of(&key), message);
            }
            None => self.left.push((key, node)),
        }
    }

    pub(in crate::config) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Returns true if this key was written and is not yet taken.
    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(name, _)| name == key)
    }

    /// Takes the setting of this key, if it was written.
    pub(in crate::config) fn take_key(&mut self, key: &'static str) -> Option<Setting<'a>> {
        self.known.push(key);
        let at = self.left.iter().position(|(name, _)| name == key)?;
        let (_, node) = self.left.remove(at);
        Some(Setting::new(self.cx, self.path_of(key), node))
    }

    /// Rejects a key of a feature that this version lacks.
    pub(in crate::config) fn not_yet(&mut self, key: &'static str) {
        if let Some(setting) = self.take_key(key) {
            setting.refuse::<()>("not implemented in this version");
        }
    }

    pub(in crate::config) fn refuse_what_is_left(self) {
        for (key, node) in &self.left {
            let message = format!("unknown key; {}", suggest::instead(key, &self.known));
            self.cx.fault_at(node.origin.clone(), &self.path_of(key), message);
        }
    }
}
