//! `callbacks`: rules of the operator's own beyond the built-in ones.

mod remote;

#[cfg(test)]
mod tests;

pub use remote::{OnFailure, Remote};

use super::read::Section;

/// Callbacks that the configuration gives.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// `remote`: a gRPC service that answers some of the four. Default none.
    pub remote: Option<Remote>,
}

impl Callbacks {
    pub(super) fn read(section: &mut Section) -> Self {
        section.not_yet("cel");
        Self { remote: section.read("remote", remote::read) }
    }
}
