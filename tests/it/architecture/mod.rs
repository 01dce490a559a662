//! The rules of the layout: what may import what, and how large things grow. Each rule reads `src/` as text, is a test of
//! its own, and stands beside a made-up tree that breaks it.
//!
//! They are `std` only, so that they run in a second without the rest:
//! `CARGO_MANIFEST_DIR=. rustc --edition 2024 --test -o /tmp/architecture tests/it/architecture/mod.rs && /tmp/architecture`

mod circles;
mod floors;
mod items;
mod sizes;
mod tokens;
mod tree;
mod use_cases;
