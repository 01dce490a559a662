//! The reference of all settings.

use super::words;
use crate::config::entries;
use crate::config::entry::{Absent, Shape};
use std::fmt::Write as _;

/// Returns a Markdown table of all settings: name, type, default and meaning.
#[must_use]
pub fn reference() -> String {
    let mut table = "| Setting | Type | Default | Meaning |\n|---|---|---|---|\n".to_owned();
    for entry in entries::all() {
        let (shape, absent) = (entry.shape(), entry.absent());
        // A section that always exists cannot be set itself.
        if matches!((&shape, absent), (Shape::Section, Absent::Default(_))) {
            continue;
        }
        let (kind, default) = (words::of_shape(&shape), words::of_absent(absent));
        let _ = writeln!(table, "| `{}` | {kind} | {default} | {} |", entry.path(), entry.doc());
    }
    table
}
