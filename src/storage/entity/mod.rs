//! The rows as sea-orm entities. Migrations own the schema; a test compares the two.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::allow_attributes,
    reason = "columns are named after what model/ documents; macros write the rest"
)]

pub(super) mod account;
pub(super) mod auth_log;
pub(super) mod revocation;
pub(super) mod revocation_counter;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod used_mark;
pub(super) mod user;
