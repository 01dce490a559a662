//! Profiles of people, made of what providers tell.

mod fields;
mod merge;

pub(super) use fields::Told;
pub(super) use merge::{merge, with_name_of_apple};
