//! Integration tests in one binary, with a folder for each part of `src/` and a file for each subject.
#![expect(
    unreachable_pub,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests read statuses and rows as clients and operators do, and stop where something is not as it must be"
)]

mod admin;
mod architecture;
mod callbacks;
mod failures;
mod keys;
mod oauth;
mod people;
mod program;
mod revocation;
mod server;
mod session;
mod sign_in;
mod storage;
#[macro_use]
mod support;
