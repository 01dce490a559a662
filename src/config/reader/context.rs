//! The shared state of a reading: the variables, the place of each setting, the faults so far, and the effective
//! values.

use super::fault::{Fault, Origin};
use super::tree::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// The state of a reading.
pub(in crate::config) struct Context {
    pub(in crate::config) variables: BTreeMap<String, OsString>,
    origins: RefCell<BTreeMap<String, Origin>>,
    faults: RefCell<Vec<Fault>>,
    effective: RefCell<Vec<(String, Value)>>,
    /// The settings that a section read.
    #[cfg(test)]
    pub(in crate::config) asked: RefCell<std::collections::BTreeSet<&'static str>>,
}

impl Context {
    pub(in crate::config) fn new(variables: BTreeMap<String, OsString>) -> Self {
        Self {
            variables,
            origins: RefCell::default(),
            faults: RefCell::default(),
            effective: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// Records a fault of the setting at `path`, at the place where it, or its section, was written.
    pub(in crate::config) fn fault(&self, path: &str, message: impl Into<String>) {
        self.fault_at(self.origin(path), path, message);
    }

    pub(in crate::config) fn fault_at(&self, origin: Option<Origin>, path: &str, message: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { origin, path: path.to_owned(), message: message.into() });
    }

    /// Returns the place where the setting at `path`, or its section, was written.
    pub(in crate::config) fn origin(&self, path: &str) -> Option<Origin> {
        let origins = self.origins.borrow();
        let mut places =
            std::iter::successors(Some(path), |path| path.rfind(['.', '[']).map(|end| &path[..end]));
        places.find_map(|place| origins.get(place)).cloned()
    }

    pub(super) fn written_at(&self, path: &str, origin: Origin) {
        self.origins.borrow_mut().insert(path.to_owned(), origin);
    }

    /// Returns true if the setting was written at all.
    pub(in crate::config) fn given(&self, path: &str) -> bool {
        self.origins.borrow().contains_key(path)
    }

    /// Returns true if the setting and its content have no fault so far.
    pub(in crate::config) fn sound(&self, path: &str) -> bool {
        !self.faults.borrow().iter().any(|fault| {
            fault.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Records the effective value at `path`; it holds no secret.
    pub(in crate::config) fn in_effect(&self, path: &str, value: Value) {
        self.effective.borrow_mut().push((path.to_owned(), value));
    }

    /// Records that the setting at `path` has no effect, although it has a default.
    pub(in crate::config) fn without_effect(&self, path: &str) {
        self.effective.borrow_mut().retain(|(noted, _)| noted != path);
    }

    /// Returns the faults, and the effective values by their paths, in reading order.
    pub(in crate::config) fn into_outcome(self) -> (Vec<Fault>, Vec<(String, Value)>) {
        (self.faults.into_inner(), self.effective.into_inner())
    }
}
