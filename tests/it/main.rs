//! The tests that boot something: one binary, a file a subject.
#![expect(
    unreachable_pub,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests read statuses and rows as clients and operators do, and stop where something is not as it must be"
)]

mod accept;
mod crash;
mod get_session;
mod http_endpoints;
mod issue_token;
mod layers;
mod refresh_token;
mod resolve_redirect;
mod rotation_model;
mod sign_in;
mod sign_out;
mod statements;
mod support;
mod token_forgery;
