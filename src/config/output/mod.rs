//! Documents made of the entries, and the configuration as it is in effect.

mod effective;
mod example;
mod outline;
mod reference;
mod schema;
mod spelling;
mod words;

#[cfg(test)]
mod tests;

pub use example::example;
pub use reference::reference;
pub use schema::schema;

pub(super) use effective::Effective;
