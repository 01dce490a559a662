//! Integration tests in one binary, with one file for each subject.
#![expect(
    unreachable_pub,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests read statuses and rows as clients and operators do, and stop where something is not as it must be"
)]

mod accept;
mod architecture;
mod authjs;
mod begin_sign_in;
mod beside_a_sweep;
mod callbacks_test;
mod callers;
mod cel;
mod crash;
mod descriptors;
mod feed_went_back;
mod foreign_service;
mod get_session;
mod get_user;
mod growth;
mod health;
mod http_endpoints;
mod id_token;
mod isolation;
mod issue_token;
mod keys;
mod layers;
mod linking;
mod made_before;
mod manners;
mod metrics;
mod migrations;
mod mtls;
mod not_yet;
mod oauth;
mod oauth_callback;
mod outage;
mod presets;
mod program;
mod provider_errors;
mod provider_faults;
mod races;
mod reference_forgery;
mod refresh_token;
mod remote;
mod repeated_callback;
mod replicas;
mod request_id;
mod resolve_redirect;
mod revoke_session;
mod revoke_user_sessions;
mod rotation_model;
mod rotations;
mod secret_rotation;
mod session_rows;
mod sign_in;
mod sign_out;
mod statements;
mod store;
mod strategy_database;
#[macro_use]
mod support;
mod sweep;
mod tls;
mod tls_reload;
mod token_forgery;
mod trusted_clock;
mod update_user;
