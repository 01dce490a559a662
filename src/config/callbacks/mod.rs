//! `callbacks`: the four callbacks, as far as they are given by configuration.

mod cel;

use super::read::Section;
use crate::callbacks::CelRules;

/// The callbacks of the configuration.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// `callbacks.cel`: expressions, compiled. Default none.
    pub cel: CelRules,
}

impl Callbacks {
    pub(super) fn read(section: &mut Section) -> Self {
        section.not_yet("remote");
        Self { cel: section.section("cel", cel::read) }
    }
}
