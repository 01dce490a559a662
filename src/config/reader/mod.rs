//! The reader of settings: the file and the variables over it become one tree, from which sections take typed values.
//! Every fault is collected with its place. Nothing here depends on the list of settings.
//!
//! It is written by hand because deserialisers such as serde stop at the first fault. They know neither the line of a
//! value nor a name that was probably meant, and they cannot merge variables over the file with both places kept.

mod context;
mod duration;
mod fault;
mod overrides;
mod read;
mod secret;
mod tree;
mod value;
mod yaml;

pub use fault::{Fault, Faults};

pub(super) use context::Context;
pub(super) use duration::{days, spell};
pub(super) use fault::Origin;
pub(super) use overrides::{Roots, Variable, variable};
pub(super) use read::{Section, Setting};
pub(super) use tree::{Node, Value};
pub(super) use yaml::parse;
