//! The rows as sea-orm sees them. Migrations own the schema; a test holds the two against each other.
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
