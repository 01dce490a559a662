//! `providers`: the providers that authenticate people, and their connections. Each is a section, merged over its
//! preset if it has one.

mod addresses;
mod client;
mod kind;
mod parameters;
mod people;
mod preset;
mod profile;
mod provider;
mod userinfo;

#[cfg(test)]
mod tests;

pub use provider::Provider;

pub(super) use provider::{Common, entries, read};
