//! The tests that boot something: one binary, a file a subject.
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
