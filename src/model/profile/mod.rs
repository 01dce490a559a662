//! The profile of a person: the cleaned attributes, and the claims that policies see.

mod clean;
mod person;
mod visible;

pub use clean::{Attribute, ToldAttributes};
pub use person::{Identity, Profile};
pub use visible::{MAX_KEPT_PROFILE, MAX_SEEN_PROFILE, VisibleProfile};
