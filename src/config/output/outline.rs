//! The entries as a tree.

use crate::config::entries;
use crate::config::entry::AnyEntry;

/// An entry, and the entries in its section.
pub(super) struct Branch {
    pub(super) entry: AnyEntry,
    pub(super) children: Vec<Self>,
}

/// Returns the topmost entries.
pub(super) fn outline() -> Vec<Branch> {
    below("", &entries::all())
}

fn below(parent: &str, all: &[AnyEntry]) -> Vec<Branch> {
    let children = all.iter().filter(|entry| entry.parent() == parent);
    children.map(|&entry| Branch { entry, children: below(entry.path(), all) }).collect()
}
