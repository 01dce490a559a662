//! From what is told of a person to who they are.

mod fields;
mod merge;

pub(super) use fields::Told;
pub(super) use merge::{merge, with_name_of_apple};
