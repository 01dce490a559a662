//! The section itself.

use super::cel;
use super::remote::{self, Remote};
use crate::callbacks::CelRules;
use crate::config::entry::{Absent, AnyEntry, Entry, Keys};
use crate::config::reader::Section;

pub(in crate::config) static CALLBACKS: Entry<Keys> = Entry {
    path: "callbacks",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The callbacks that the configuration gives.",
};

pub(in crate::config) fn entries() -> Vec<AnyEntry> {
    [vec![&CALLBACKS as AnyEntry], cel::entries(), remote::entries()].concat()
}

/// The callbacks of the configuration.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// The compiled expressions.
    pub cel: CelRules,
    /// The gRPC service that answers some of the four callbacks.
    pub remote: Option<Remote>,
}

impl Callbacks {
    pub(in crate::config) fn read(section: &mut Section) -> Option<Self> {
        Some(Self {
            cel: section.section(&cel::CEL, |section| Some(cel::read(section)))?,
            remote: section.optional(&remote::REMOTE, remote::read),
        })
    }
}
