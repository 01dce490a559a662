//! `callbacks`: the callbacks that the configuration provides.

mod cel;
mod remote;
mod section;
mod tls;

#[cfg(test)]
mod tests;

pub use remote::{OnFailure, Remote};
pub use section::Callbacks;

pub(super) use section::{CALLBACKS, entries};
