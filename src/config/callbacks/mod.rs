//! `callbacks`: the four callbacks, as far as they are given by configuration.

mod cel;
mod remote;

#[cfg(test)]
mod tests;

pub use remote::{OnFailure, Remote};

use super::read::Section;
use crate::callbacks::CelRules;

/// The callbacks of the configuration.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// `cel`: expressions, compiled. Default none.
    pub cel: CelRules,
    /// `remote`: a gRPC service that answers some of the four. Default none.
    pub remote: Option<Remote>,
}

impl Callbacks {
    pub(super) fn read(section: &mut Section) -> Self {
        Self { cel: section.section("cel", cel::read), remote: section.read("remote", remote::read) }
    }
}
