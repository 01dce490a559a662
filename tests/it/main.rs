//! The tests that boot something: one binary, a file a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "what a test does not expect fails it, in helpers too, and one crate has no outside"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not the one expected fails the test, told by its Debug"
)]
#![expect(clippy::disallowed_types, reason = "tests read statuses and rows as clients and operators do")]

mod accept;
mod crash;
mod http_endpoints;
mod issue_token;
mod layers;
mod manners;
mod migrations;
mod program;
mod store;
mod support;
