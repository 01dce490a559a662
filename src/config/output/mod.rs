//! Documents generated from the entries, and the effective configuration.

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
