//! `providers`: who proves people to us, and how they are asked. Each is a section, laid over its preset if it has one.

mod addresses;
mod authorities;
mod client;
mod kind;
mod parameters;
mod preset;
mod profile;
mod provider;

#[cfg(test)]
mod tests;

pub use provider::Provider;

pub(super) use provider::{entries, read};
