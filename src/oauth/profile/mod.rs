//! Profiles of people, made from the data of providers.

mod fields;
mod merge;

pub(super) use fields::Told;
pub(super) use merge::{merge, with_name_of_apple};
