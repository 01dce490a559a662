//! The use cases, built from the resources of the process.

mod build;
mod readers;
mod resources;

pub(super) use build::build;
pub(super) use resources::Resources;
