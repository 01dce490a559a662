//! Cursors over the tree: a section gives its settings out one by one, and what is left in the end is unknown. Faults
//! gather in the context, so that reading goes on after the first.

use super::fault::{Fault, Origin};
use super::tree::{Node, Value};
use crate::model::suggest;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// What a reading shares: the variables, where each setting was written, and what is wrong so far.
pub(super) struct Context {
    pub(super) variables: BTreeMap<String, OsString>,
    origins: RefCell<BTreeMap<String, Origin>>,
    faults: RefCell<Vec<Fault>>,
}

impl Context {
    pub(super) fn new(variables: BTreeMap<String, OsString>) -> Self {
        Self { variables, origins: RefCell::default(), faults: RefCell::default() }
    }

    /// Notes what is wrong with the setting at `path`, at the place where it, or what it stands in, was written.
    pub(super) fn fault(&self, path: &str, message: impl Into<String>) {
        self.fault_at(self.origin(path), path, message);
    }

    /// Where the setting at `path`, or what it stands in, was written.
    pub(super) fn origin(&self, path: &str) -> Option<Origin> {
        let origins = self.origins.borrow();
        let mut places =
            std::iter::successors(Some(path), |path| path.rfind(['.', '[']).map(|end| &path[..end]));
        places.find_map(|place| origins.get(place)).cloned()
    }

    pub(super) fn fault_at(&self, origin: Option<Origin>, path: &str, message: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { origin, path: path.to_owned(), message: message.into() });
    }

    /// Whether the setting was written at all.
    pub(super) fn given(&self, path: &str) -> bool {
        self.origins.borrow().contains_key(path)
    }

    /// Whether nothing is wrong with the setting, or with anything in it, so far.
    pub(super) fn sound(&self, path: &str) -> bool {
        !self.faults.borrow().iter().any(|fault| {
            fault.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }
}

/// A value at its path.
pub(super) struct Setting<'a> {
    pub(super) cx: &'a Context,
    pub(super) path: String,
    pub(super) value: Value,
    /// Of a text whose lines are lines of the file: the first of these.
    first_line: Option<u64>,
}

impl<'a> Setting<'a> {
    pub(super) fn new(cx: &'a Context, path: String, node: Node) -> Self {
        if let Some(origin) = node.origin {
            cx.origins.borrow_mut().insert(path.clone(), origin);
        }
        Self { cx, path, value: node.value, first_line: node.first_line }
    }

    /// Notes what is wrong with this value; answers the `None` that its reader answers.
    pub(super) fn refuse<T>(&self, message: impl Into<String>) -> Option<T> {
        self.cx.fault(&self.path, message);
        None
    }

    /// Notes what is wrong at a place within this text: at its line of the file, where it has one.
    pub(super) fn refuse_within(&self, line: usize, column: usize, message: &str) {
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

    /// Reads a section; keys that `read` did not ask for are faults. An empty one has every default.
    pub(super) fn section<T>(self, read: impl FnOnce(&mut Section<'a>) -> T) -> Option<T> {
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
pub(super) struct Section<'a> {
    pub(super) cx: &'a Context,
    pub(super) path: String,
    left: Vec<(String, Node)>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    fn of(cx: &'a Context, path: String, entries: Vec<(String, Node)>) -> Self {
        let mut section = Self { cx, path, left: Vec::new(), known: Vec::new() };
        for (key, node) in entries {
            section.add(key, node);
        }
        section
    }

    /// The whole configuration as a section: its keys are the sections.
    pub(super) fn of_root(cx: &'a Context, root: Node) -> Self {
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

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The setting of this key, if it was written.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Setting<'a>> {
        self.known.push(key);
        let at = self.left.iter().position(|(name, _)| name == key)?;
        let (_, node) = self.left.remove(at);
        Some(Setting::new(self.cx, self.path_of(key), node))
    }

    /// The value of this key as `read` takes it; `None` if it was not written or is refused.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Setting<'a>) -> Option<T>,
    ) -> Option<T> {
        self.take(key).and_then(read)
    }

    /// The same, of a key that must be there; `wanted` tells what to give.
    pub(super) fn require<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(Setting<'a>) -> Option<T>,
    ) -> Option<T> {
        let setting = self.take(key);
        if setting.is_none() {
            self.cx.fault(&self.path, format!("has no {key}; give {wanted}"));
        }
        setting.and_then(read)
    }

    /// A key of a feature that this version has not.
    pub(super) fn not_yet(&mut self, key: &'static str) {
        if let Some(setting) = self.take(key) {
            setting.refuse::<()>("not in this version");
        }
    }

    /// The section of this key; all its defaults where it is not written or no section.
    pub(super) fn section<T>(&mut self, key: &'static str, read: fn(&mut Section<'a>) -> T) -> T {
        let written = self.take(key).and_then(|setting| setting.section(read));
        written.unwrap_or_else(|| read(&mut Section::of(self.cx, self.path_of(key), Vec::new())))
    }

    pub(super) fn refuse_what_is_left(self) {
        for (key, node) in &self.left {
            let message = format!("unknown key; {}", suggest::instead(key, &self.known));
            self.cx.fault_at(node.origin.clone(), &self.path_of(key), message);
        }
    }
}
