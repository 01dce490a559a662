//! The use cases, built of the parts that the process has.

mod build;
mod readers;
mod resources;

pub(super) use build::build;
pub(super) use resources::Resources;
