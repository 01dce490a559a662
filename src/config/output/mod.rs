//! Documents generated from the entries, and the effective configuration.

mod claim_types;
mod effective;
mod example;
mod outline;
mod reference;
mod schema;
mod spelling;
mod words;

#[cfg(test)]
mod tests;

pub use claim_types::{proto as claims_as_proto, typescript as claims_as_typescript};
pub use example::example;
pub use reference::reference;
pub use schema::schema;

pub(super) use effective::Effective;
