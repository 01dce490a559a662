//! A complete Gatepass for one test: its own database, free ports, a manual clock, and real clients.

pub mod app;
pub mod callback_service;
pub mod callers;
pub mod client;
pub mod crowd;
pub mod databases;
pub mod foreign;
pub mod gate;
pub mod hooks;
pub mod invariants;
pub mod jwt;
pub mod load;
pub mod log;
pub mod metrics;
pub mod program;
pub mod provider;
pub mod proxy;
pub mod refresh_tokens;
pub mod servers;
pub mod signing_in;
pub mod soak;
pub mod strategy;
pub mod tls;
pub mod wire;
pub mod witness;

use std::time::Duration;

use gatepass::model::Timestamp;

pub use app::TestApp;
pub use app::builder::{Builder, app, builder, builder_on, builder_on_a_copy_of, builder_on_a_dump, tokens};
pub use app::keys;
pub use client::Client;
pub use client::answers::{allowed, claims_of, denied, fields, ids, reason, refusal};
pub use client::ends::{ENDS, End};
pub use client::requests::{
    NOBODY, at_github, credential, profile, proto_time, reading, redeeming, signing_out,
    signing_out_by_refresh, with_key,
};

/// 2026-01-01T00:00:00Z, the start time of every test.
pub const START: Timestamp = Timestamp(1_767_225_600_000);

/// The folder of the PEM files that tests sign with.
pub const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/keys");

/// Waits until a condition holds. After a minute it fails the test with the name of the condition.
pub async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let begin = std::time::Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < Duration::from_mins(1), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
